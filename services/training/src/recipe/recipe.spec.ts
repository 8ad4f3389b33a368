import { canonicalJson } from '@driftloop/contracts';
import { parcels } from '../testing/training.js';
import { inherited } from './parameters.js';
import { mismatch } from './recipe.js';

describe('a graph against its trainer', () => {
  const p = Float64Array.of(0.2, 0.5, 0.9);

  it('may differ by rounding', () => {
    expect(mismatch('twin', Float64Array.of(0.2, 0.5 + 9e-6, 0.9 - 1e-9), p)).toBeCloseTo(9e-6, 9);
  });

  it.each([
    ['differs', Float64Array.of(0.2, 0.5 + 1.1e-5, 0.9)],
    ['answers NaN', Float64Array.of(0.2, Number.NaN, 0.9)],
  ])('is refused when it %s on a single row', (_what, found) => {
    expect(() => mismatch('twin', found, p)).toThrow(expect.objectContaining({ code: 'GRAPH_MISMATCH' }));
  });
});

describe('a champion’s recipe', () => {
  const spec = parcels();
  const declared = spec.spec.training.parameters;
  const recipe = { recipe: 'boosting', declared, parameters: { ...declared, trees: 7 }, trials: [] };

  it('is run again while the spec declares the same parameters', () => {
    expect(inherited(canonicalJson(recipe), spec)).toEqual({ parameters: recipe.parameters, trials: [] });
  });

  it.each([
    ['the spec declares others', canonicalJson({ ...recipe, declared: { ...declared, leaves: 99 } })],
    ['it learned nothing', '{}'],
    ['there is none', undefined],
    ['it cannot be read', 'not json'],
  ])('is not when %s', (_why, json) => {
    expect(inherited(json, spec)).toBeNull();
  });
});
