/** Replies of the Open Inference Protocol. */
import { Arm, type inference } from '@driftloop/contracts';
import type { Answer } from './inference.js';
import type { Questions } from './question.js';
import type { ServedModel } from './served-models.js';
import { datatypeOf, rawDoubles } from './tensors.js';

const output = { name: 'probability', datatype: 'FP64' };

/** The names of a model's present versions, once each. */
export function versionsOf({ rollouts }: ServedModel): string[] {
  return rollouts[0]?.versions.map(({ version }) => version) ?? [];
}

/** What a model takes and gives. Inputs that the store supplies are optional; with an entity_id all may be. */
export function metadataOf(model: ServedModel, versions: string[]): inference.ModelMetadataResponse {
  const inputs = [...model.inputs.values()];
  const names = (own: boolean) =>
    inputs
      .filter((input) => input.own === own)
      .map(({ name }) => name)
      .join(',');
  return {
    name: model.model,
    versions,
    platform: 'onnxruntime_onnx',
    inputs: inputs.map(({ name, kind }) => ({ name, datatype: datatypeOf(kind), shape: [-1, 1] })),
    outputs: [{ ...output, shape: [-1, 1] }],
    properties: { optional_inputs: names(false), inputs_optional_with_entity_id: names(true) },
  };
}

/** Typed contents are answered with typed ones, all else with raw ones, as Triton does: its clients read no typed FP64. */
export function responseOf(
  request: inference.ModelInferRequest,
  { id, rows }: Questions,
  { version, arm, probabilities, imputed, stale, behindMs, error, fallbackFor }: Answer,
): inference.ModelInferResponse {
  const raw = !request.inputs.some((input) => input.contents);
  const parameters: Record<string, inference.InferParameter> = { arm: arm === Arm.CANARY ? canary : champion };
  if (imputed.length) parameters.imputed = text(imputed.join(','));
  if (stale.length) parameters.stale = text(stale.join(','));
  if (behindMs > 0) parameters.features_behind_ms = { parameterChoice: { $case: 'int64Param', value: behindMs } };
  if (error) parameters.error = text(error);
  if (fallbackFor) parameters.fallback_for = text(fallbackFor);
  const contents = raw ? undefined : typed(probabilities);
  return {
    modelName: request.modelName,
    modelVersion: version,
    id,
    parameters,
    outputs: [{ ...output, shape: [rows, 1], parameters: {}, contents }],
    rawOutputContents: raw ? [rawDoubles(probabilities)] : [],
  };
}

const text = (value: string): inference.InferParameter => ({ parameterChoice: { $case: 'stringParam', value } });
const [champion, canary] = [text('champion'), text('canary')];

const none: never[] = [];
function typed(fp64Contents: number[]): inference.InferTensorContents {
  return {
    boolContents: none,
    intContents: none,
    int64Contents: none,
    uintContents: none,
    uint64Contents: none,
    fp32Contents: none,
    fp64Contents,
    bytesContents: none,
  };
}
