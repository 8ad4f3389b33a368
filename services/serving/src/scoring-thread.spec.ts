import type { Graph } from './scoring.worker.js';
import { ScoringThread } from './scoring-thread.js';
import { flights } from './testing/world.js';

const graph = (key: string, path = key): Graph => ({ key, path, spec: flights, numbers: [], texts: [] });
const columns = () => ({ rows: 2, numbers: new Float64Array(2), texts: [] });

describe('the scoring thread', () => {
  let thread: ScoringThread;
  beforeEach(() => {
    thread = new ScoringThread(new URL('./testing/mortal.worker.mjs', import.meta.url));
  });
  afterEach(() => thread.close());

  it('is started again with the graphs that it held when it dies; what it was scoring fails', async () => {
    await thread.load(graph('a'));
    await thread.load(graph('b'));
    await expect(thread.score(['a', 'deadly'], columns())).rejects.toThrow('the scoring thread ended with code 7');
    const results = await thread.score(['a', 'b'], columns());
    expect(results.map(({ scores }) => [...scores!])).toEqual([
      [1, 1],
      [1, 1],
    ]);
  });

  it('holds what it has loaded, and nothing that could not be', async () => {
    await thread.load(graph('a'));
    await expect(thread.load(graph('b', 'broken'))).rejects.toThrow('broken');
    expect([...thread.graphs.keys()]).toEqual(['a']);
  });

  it('drops what is not wanted', async () => {
    await thread.load(graph('a'));
    await thread.load(graph('b'));
    await thread.keepOnly((key) => key === 'b');
    expect([...thread.graphs.keys()]).toEqual(['b']);
    const [a, b] = await thread.score(['a', 'b'], columns());
    expect(a.error).toBe('it is not loaded');
    expect([...b.scores!]).toEqual([1, 1]);
  });

  it('fails what is asked of it once it is closed', async () => {
    await thread.load(graph('a'));
    await thread.close();
    await expect(thread.score(['a'], columns())).rejects.toThrow('the service is stopping');
  });
});
