/** Predictions as events: split so that none is too large for the bus, each named by what it holds. Pure. */
import { createHash } from 'node:crypto';
import type { OutgoingEvent } from '@driftloop/bus';
import { events, type Prediction, PredictionsMade } from '@driftloop/contracts';
import type { ServedModel } from './served-models.js';

/** Greatest size of an event's payload as JSON, bytes. */
export const batchBytes = 500_000;

/** A number as JSON has at most 24 characters ("-1.2345678901234567e-100"), and a comma. */
const numberBytes = 25;
/** A character as JSON has at most 6 bytes (\u001f). */
const characterBytes = 6;
/** Names of the fields, times, arm, the question's name, error's frame. */
const frameBytes = 440;
const shadowBytes = 150;

/**
 * The events of some predictions. An event's id is the hash of the predictions' ids and questions: told again, it is the same
 * event.
 * `dropped` (since the last batch) is told with the first.
 */
export function batchesOf(
  model: ServedModel,
  predictions: readonly Prediction[],
  dropped: number,
  replica: string,
): OutgoingEvent[] {
  const { topic, payload, key } = events.predictionsMade;
  const { numbers: numberFeatures, texts: textFeatures } = model.layout;
  const names = { numberFeatures: [...numberFeatures], textFeatures: [...textFeatures] };
  return split(predictions, sizeOfNames(model)).map((part, i) => {
    const told = { tenant: model.tenant, model: model.model, ...names, predictions: part, replica };
    const message: PredictionsMade = { ...told, dropped: i ? 0 : dropped };
    const id = createHash('sha256').update(model.key);
    let time = 0;
    for (const prediction of part) {
      id.update('\n').update(prediction.id).update('\n').update(prediction.question);
      time = Math.max(time, prediction.eventTime!.getTime());
    }
    const data = payload.toJSON(message);
    return { id: id.digest('hex').slice(0, 32), topic, key: key(message), time, source: 'serving', data };
  });
}

function split(predictions: readonly Prediction[], frame: number): Prediction[][] {
  const parts: Prediction[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const prediction of predictions) {
    const size = greatestSize(prediction);
    if (bytes + size > batchBytes) {
      parts.push([]);
      bytes = frame;
    }
    bytes += size;
    parts.at(-1)!.push(prediction);
  }
  return parts;
}

/** Greatest size of a prediction as JSON, without making it. */
function greatestSize({ id, entityId, version, error, numbers, texts, imputed, shadows }: Prediction): number {
  let characters = id.length + entityId.length + version.length + error.length;
  for (const text of texts) characters += text.length + 1;
  let bytes = frameBytes + numbers.length * numberBytes + shadows.length * shadowBytes;
  for (const name of imputed) bytes += name.length + 3;
  for (const shadow of shadows) characters += shadow.version.length + shadow.error.length;
  return bytes + characters * characterBytes;
}

function sizeOfNames({ layout }: ServedModel): number {
  return frameBytes + JSON.stringify(layout).length * characterBytes;
}
