/** What the AsyncAPI document says of all topics alike. */

export const howToRead = `What happens in Driftloop's loop, as facts on Kafka. Every record is a CloudEvents 1.0 event in the Kafka binary \
content mode: the attributes are headers (\`ce_…\`), the value is the payload as readable JSON (proto3 JSON of the messages in proto/).

- **Delivery**: at least once, in order per key. An event that is told again has the same \`ce_id\`: remember the ids \
that you have handled, or make handling twice harmless.
- **Unknown fields**: consumers ignore them. Fields, events and enum values are added in minor releases; names, numbers and types \
never change within v1 (\`buf breaking\`, FILE and WIRE_JSON, against the last release).
- **Absent fields** have their default (empty, 0, false); an enum value that you do not know counts as its \`…_UNSPECIFIED\`.
- **64-bit whole numbers** are written as JSON numbers within ±2^53, and read both as numbers and as digits in a string, as proto3 JSON allows.
- **Doubles** that JSON has no number for are "NaN", "Infinity" and "-Infinity".
- **Compacted topics** hold the present state: read them from the beginning. Where a payload has a revision, ignore one that is \
lower than or equal to what you have.
- **Topics that you write** (\`outcomes.reported\`, \`entities.observed\`): what is malformed becomes a dead letter of its group with the \
reason; the rest goes on. Who may write is for the topics' ACLs to say; what is written belongs to the tenant \`main\`.
- A cluster may put a namespace before each topic, as in \`staging.model.promoted\`; \`ce_type\` is always the bare name.

docs/events.md shows how to consume and how to write.`;

const text = { type: 'string' } as const;

/** The headers of CloudEvents' Kafka binding; outsiders need no more than `ce_id`. */
export const cloudEventHeaders = {
  type: 'object',
  required: ['ce_id'],
  properties: {
    ce_specversion: { ...text, enum: ['1.0'] },
    ce_id: { ...text, minLength: 1, description: 'The same when the same fact is told again: dedupe by it.' },
    ce_source: { ...text, description: 'Who tells it, e.g. /driftloop/registry.' },
    ce_type: { ...text, description: 'The topic, without a namespace.' },
    ce_subject: { ...text, description: "The record's key." },
    ce_time: {
      ...text,
      format: 'date-time',
      description: 'Event time: when it happened in the world that the loop looks at.',
    },
    'content-type': { ...text, description: 'application/json' },
    traceparent: { ...text, description: "W3C Trace Context of the speaker's span, where it is traced." },
  },
};
