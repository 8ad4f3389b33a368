/** What is taken out of a text, and how much work it is. */
import { openLog } from '../log.js';
import { redacted, redactedWithin } from './redaction.js';

/** How many characters the patterns have been given. */
function workOf<T>(run: () => T): { result: T; characters: number } {
  const { replace } = String.prototype;
  let characters = 0;
  String.prototype.replace = function (this: string, ...args: never[]) {
    characters += this.length;
    return Reflect.apply(replace, this, args);
  } as never;
  try {
    return { result: run(), characters };
  } finally {
    String.prototype.replace = replace;
  }
}

it.each([
  ['mongodb+srv://u:p4ss@host/db', 'mongodb+srv://[secret]@host/db'],
  ['a.b.token=p4ss&x=1', 'a.b.token=[secret]&x=1'],
  ['MY_API_KEY = "p4ss"', 'MY_API_KEY = [secret]"'],
  ['{"s3.secretKey": "p4\\"ss", "a": 1}', '{"s3.secretKey": "[secret]", "a": 1}'],
  ['{"password":"p4ss that is cut', '{"password":"[secret]'],
  ['{\\"token\\":\\"p4ss\\"}', '{\\"token\\":\\"[secret]\\"}'],
  ['Authorization: Bearer abcdefgh1234', 'Authorization: Bearer [secret]'],
  ['the tokens=12 of an author=me', 'the tokens=12 of an author=me'],
])('takes the secret out of %s', (text, clean) => {
  expect(redacted(text)).toBe(clean);
});

it('leaves no beginning of a secret at a cut', () => {
  const text = `${'x'.repeat(90)} token=${'s'.repeat(500)}`;
  expect(redactedWithin(100, text)).not.toMatch(/s{3}/);
  expect(redactedWithin(100, `${'x'.repeat(95)}${'k'.repeat(300)}`, ['k'.repeat(300)])).not.toContain('kk');
});

it('works through no more than what is told of a text', () => {
  const { result, characters } = workOf(() => redactedWithin(1024, 'a.'.repeat(500_000)));
  expect(result).toHaveLength(1024);
  expect(characters).toBeLessThan(50_000);
});

it('cuts a line of the log before it is redacted, and leaves it JSON', () => {
  const lines: string[] = [];
  const log = openLog('registry', 'info', { lines: { write: (line) => void lines.push(line) } });
  const facts = { model: 'a.'.repeat(500_000), many: Array(100_000).fill('b.'), deep: { note: 'c.'.repeat(9000) } };
  const { characters } = workOf(() => log.info(facts, 'applied'));
  expect(characters).toBeLessThan(200_000);
  expect(lines[0].length).toBeLessThan(32_768);
  expect(JSON.parse(lines[0])).toMatchObject({
    msg: 'applied',
    model: expect.stringContaining('… (1000000 characters)'),
  });
});
