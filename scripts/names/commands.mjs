/** The command line as commander knows it: every command, argument and option, with what holds where it is left out. */

/** `command` and all below it, by their full names. */
export function commandsOf(command, above = '') {
  const name = `${above}${command.name()}`;
  const args = command.registeredArguments.map(
    (argument) =>
      `${argument.required ? '<' : '['}${argument.name()}${argument.variadic ? '…' : ''}${argument.required ? '>' : ']'}`,
  );
  const aliases = command.aliases().map((alias) => `${name} is ${above}${alias}`);
  const options = command.options.map(({ flags, mandatory, defaultValue }) => {
    const usual = defaultValue === undefined ? '' : `, usually ${JSON.stringify(defaultValue)}`;
    return `${name} ${flags}${mandatory ? ', required' : ''}${usual}`;
  });
  const below = command.commands.flatMap((one) => commandsOf(one, `${name} `));
  return [[name, ...args].join(' '), ...aliases, ...options, ...below];
}
