// Compares two runs of one world: the same decisions, versions and figures, whatever they ran on.
import { readFileSync } from 'node:fs';

const [one, other] = process.argv.slice(2).map((file) => JSON.parse(readFileSync(file, 'utf8')));
let same = true;
for (const part of ['ledgerSha256', 'cycles', 'versions', 'departures', 'loop', 'frozen']) {
  // What neither of them says is not the same.
  const equal = one[part] !== undefined && JSON.stringify(one[part]) === JSON.stringify(other[part]);
  console.log(
    `${equal ? 'ok  ' : 'FAIL'} ${part}${equal ? '' : `: ${JSON.stringify(one[part])} and ${JSON.stringify(other[part])}`}`,
  );
  same &&= equal;
}
process.exit(same ? 0 : 1);
