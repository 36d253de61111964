// How objects of this package look when they are printed: the name by which consoles ask an object for its text, and
// modules written as their constructors are called. What a tensor looks like is in print.

/**
 * Node's console and util.inspect call the method of this name, and so do Bun's and Deno's; who does not know it falls
 * back on toString.
 */
export const inspect: unique symbol = Symbol.for("nodejs.util.inspect.custom") as never;

/**
 * `LSTM(3, 64, numLayers=2)`: sizes by place, then the options that are not what they are by default.
 * @param options each with its value and its default
 */
export function printCall(
  name: string,
  sizes: readonly number[],
  options: Readonly<Record<string, readonly [value: unknown, byDefault: unknown]>>,
): string {
  const given = Object.entries(options).filter(([, [value, byDefault]]) => !Object.is(value, byDefault));
  return `${name}(${[...sizes, ...given.map(([key, [value]]) => `${key}=${value}`)].join(", ")})`;
}
