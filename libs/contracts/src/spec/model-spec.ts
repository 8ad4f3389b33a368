/**
 * The ModelSpec: the one object people write. Everything that the loop does to a model follows from it.
 *
 * Defaults are the general ones (docs/decisions says where they come from); none is specific to an example.
 *
 * I1  Every number, text and list has a bound: what is accepted here is evaluated at each tick, by every service.
 * I2  No name that becomes a property is `__proto__` (parse.ts refuses it as a key, here it is refused as a value).
 */
import { z } from 'zod';
import { textLimits } from '../text-limits.js';
import { duration } from './duration.js';

const name = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,62}$/, 'use lower-case letters, digits, - and _, starting with a letter (at most 63)');
const columnName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, 'use letters, digits and _, not starting with a digit (at most 63)')
  .refine((text) => text !== '__proto__', '"__proto__" is a reserved name; choose another');
/** A name that must stand elsewhere in the spec. */
const reference = z.string().max(63);
const columnType = z.enum(['number', 'text', 'time']);
const positive = z.number().positive().max(1e9);
const share = z.number().min(0).max(1);
/** Days: ten years at most. */
const days = z.int().max(3660);
/** Rows, labels, predictions. */
const rows = z.int().max(1_000_000_000);
/** At most so many members. */
const upTo = <S extends z.ZodType>(most: number, record: S) =>
  record.refine((members) => Object.keys(members as object).length <= most, `has too many members; at most ${most}`);

/** A stream of facts: rows of an entity (or of the world, where the entity is a constant) with both times. */
const source = z.strictObject({
  columns: upTo(1000, z.record(columnName, z.enum(['number', 'text']))),
  /** What a number may be, [least, most]: a row outside is set aside, with the reason. */
  ranges: upTo(1000, z.record(columnName, z.tuple([z.number(), z.number()]))).default({}),
  /** Column names in an ingested file. */
  file: z
    .strictObject({
      entity: z.string().max(textLimits.name).default('entity_id'),
      eventTime: z.string().max(textLimits.name).default('event_time'),
      knownAt: z.string().max(textLimits.name).default('known_at'),
      /** Declared columns that a file may lack: they are missing in its rows. A file without another is refused. */
      optional: z.array(columnName).max(1000).optional(),
    })
    .prefault({}),
});

/** A request input, or one derived from it, as it is. Text is categorical. */
const inputFeature = z.strictObject({ input: columnName });

/** The newest row of a source known by then, unless it is older than `maxAge` (by event time). */
const latestFeature = z.strictObject({
  latest: reference,
  columns: z.array(columnName).min(1).max(1000),
  maxAge: duration,
});

/**
 * An aggregate of the rows of a source (or of `outcomes`, whose column is `value`) that became known within each
 * window ending at the question. `by`: only rows whose entity shares this input with the question's. `against`: less
 * the same over this longer window, so that what is usual for the key is taken off.
 */
const windowFeature = z.strictObject({
  window: reference,
  aggregate: z.enum(['mean', 'count', 'shareAbove']),
  of: columnName.optional(),
  clip: z.tuple([z.number(), z.number()]).optional(),
  above: z.number().optional(),
  over: z.array(duration).min(1).max(50),
  against: duration.optional(),
  by: columnName.optional(),
  as: columnName.optional(),
});

/**
 * Of the entities of a source whose own time fell within each window ending at the question: how many were due, how
 * many have not shown up in `until` by then, how many minutes those are late on average, and how many share `by`.
 */
const overdueFeature = z.strictObject({
  overdue: reference,
  until: reference,
  over: z.array(duration).min(1).max(50),
  by: columnName,
});

const trigger = z.union([
  z.strictObject({ growth: z.strictObject({ atLeast: positive }) }),
  z.strictObject({ calibrationGap: z.strictObject({ atLeast: positive, z: positive.default(2) }) }),
]);

/** The boosting recipe; search may try others around it. */
const boosting = z.strictObject({
  trees: z.int().min(1).max(5000).default(300),
  learningRate: z.number().positive().max(1).default(0.03),
  leaves: z.int().min(2).max(255).default(15),
  /** Of a large set; a leaf is never asked to hold more than a 150th of the rows (at least 20). */
  minRowsPerLeaf: rows.min(1).default(200),
  columnSampling: z.number().positive().max(1).default(0.4),
  rowSampling: z.number().positive().max(1).default(0.7),
  l2: z.number().min(0).max(1e9).default(10),
  maxBins: z.int().min(2).max(255).default(255),
  earlyStoppingRounds: z.int().min(1).max(5000).default(50),
});

export const modelSpecSchema = z
  .strictObject({
    apiVersion: z.literal('driftloop/v1'),
    kind: z.literal('Model'),
    metadata: z.strictObject({ name, description: z.string().max(textLimits.note).optional() }),
    spec: z.strictObject({
      task: z.literal('binary'),
      entity: z.strictObject({
        /** What the entity is called, for people. */
        name: columnName,
        /** The request input that is the entity's own time; cohorts and outcomes go by it. */
        time: columnName,
      }),
      /** How long before the entity's own time the question is asked. */
      question: z.strictObject({ lead: duration }),
      /** The block of every comparison: a day from `startsAt` (UTC). */
      cohort: z
        .strictObject({
          startsAt: z
            .string()
            .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'write a time of day, UTC, in quotes, such as "09:00"')
            .default('00:00'),
        })
        .prefault({}),
      request: z.strictObject({
        inputs: upTo(1000, z.record(columnName, columnType)),
        /** The source that holds the same columns by entity: history, and lookup by entity id. */
        source: reference,
      }),
      derived: upTo(
        500,
        z.record(
          columnName,
          z.strictObject({
            from: columnName,
            part: z.enum(['minuteOfDay', 'hourOfDay', 'dayOfWeek']),
            zone: z.string().max(63).default('UTC'),
          }),
        ),
      ).default({}),
      sources: upTo(100, z.record(name, source)),
      features: z
        .array(z.union([inputFeature, latestFeature, windowFeature, overdueFeature]))
        .min(1)
        .max(1000),
      label: z.strictObject({
        name: columnName,
        /** After a cohort ends, labels that arrive later no longer count in a verdict. */
        closeAfter: duration,
        /** After a cohort ends, a missing label is censored: counted, never negative. */
        censorAfter: duration,
        /** The probability that is served before anything has been learned. */
        prior: share.default(0.5),
        consistency: z
          .array(z.strictObject({ attribute: columnName, atLeast: z.number() }))
          .max(50)
          .default([])
          .describe('A label must be 1 exactly where the attribute is at least this'),
      }),
      training: z
        .strictObject({
          recipe: z.literal('boosting').default('boosting'),
          parameters: boosting.prefault({}),
          search: z
            .strictObject({ trials: z.int().min(0).max(50).default(6), rows: rows.min(1000).default(20_000) })
            .prefault({}),
          calibration: z.strictObject({ folds: z.int().min(2).max(10).default(3) }).prefault({}),
          /** Declared event-time duration of a training. */
          duration: duration.default('6h'),
          seed: z.int().default(1),
        })
        .prefault({}),
      gate: z
        .strictObject({
          enabled: z.boolean().default(true),
          embargo: z
            .strictObject({
              minDays: days.min(2).default(8),
              /** A stream of few rows a day is judged on more days, up to so many. */
              maxDays: days.min(2).default(28),
              minRows: rows.min(1).default(200),
            })
            .prefault({}),
          confidence: z.number().min(0.5).max(0.999).default(0.9),
          maxSingleFeatureAuc: z.number().min(0.5).max(1).default(0.8),
          slices: z.array(columnName).max(50).default([]),
          sliceMinRows: rows.min(1).default(500),
        })
        .prefault({}),
      rollout: z
        .strictObject({
          shadow: z
            .strictObject({
              margin: positive.default(0.015),
              clip: positive.default(0.03),
              promoteAt: positive.default(20),
              harmAt: positive.default(100),
              maxDays: days.min(1).default(28),
            })
            .prefault({}),
          canary: z
            .strictObject({
              percent: z.number().min(0).max(100).default(10),
              duration: duration.default('1d'),
              minPredictions: rows.min(1).default(5),
            })
            .prefault({}),
        })
        .prefault({}),
      monitoring: z
        .strictObject({
          window: duration.default('14d'),
          psi: z.strictObject({ warnAt: positive.default(0.25) }).prefault({}),
          performance: z.strictObject({ z: positive.default(3.5) }).prefault({}),
          /** A source silent for longer than this no longer holds time back, and is alarmed. */
          silence: duration.default('6h'),
          /** A closed day of which a greater share has no label is in no verdict and no signal, and is alarmed. */
          unlabelledAbove: share.default(0.5),
          /** Features whose values split the diagnosis, as they split the gate. */
          slices: z.array(columnName).max(50).default([]),
          /** The share of false alarms that is allowed among the features and slices that are said to have moved. */
          falseDiscoveryRate: share.default(0.05),
        })
        .prefault({}),
      /** When a stretch of closed days is set aside: its labels contradict what the champion and the sources say. */
      quarantine: z
        .strictObject({
          /** Whole cohorts that are looked at together. */
          days: days.min(1).default(7),
          /** The champion ranks worse than this. */
          aucBelow: share.default(0.5),
          /** |mean label − mean probability| is above this. */
          calibrationGapAbove: share.default(0.18),
          /** One source's gap differs from the rest's by more than this. */
          sourceGapAbove: share.default(0.2),
          /** Fewer labelled rows tell nothing. */
          minRows: rows.min(1).default(500),
        })
        .prefault({}),
      retraining: z
        .strictObject({
          check: duration.default('1d'),
          any: z
            .array(trigger)
            .min(1)
            .max(20)
            .default([{ growth: { atLeast: 0.28 } }, { calibrationGap: { atLeast: 0.05, z: 2.5 } }]),
          cooldown: duration.default('12d'),
          /** Days count first (the cooldown, the embargo's days); this is the floor for streams of few rows a day. */
          minFreshLabels: rows.min(1).default(240),
          /** Trainings in a day of event time. */
          dailyBudget: z.int().min(1).max(1000).default(1),
          /** After so many cycles in a row without promotion, a person is asked. */
          breakerAfter: z.int().min(1).max(1000).default(5),
          deadlines: z
            .strictObject({
              training: duration.default('2d'),
              gate: duration.default('1d'),
              shadow: duration.default('32d'),
              canary: duration.default('10d'),
            })
            .prefault({}),
        })
        .prefault({}),
    }),
  })
  .describe('A Driftloop model: what is asked, from what it is learned, and how it renews itself');

/** A validated ModelSpec with every default filled in. */
export type ModelSpec = z.output<typeof modelSpecSchema>;
/** A ModelSpec as a person writes it. */
export type ModelSpecInput = z.input<typeof modelSpecSchema>;
