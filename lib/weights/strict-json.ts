// JSON as a file header from a stranger must be read: objects become Maps, so that no key can reach a prototype;
// a key that comes twice is an error, where JSON.parse keeps the last in silence; nesting is bounded. Tokens (strings
// and numbers) are left to JSON.parse. It knows nothing of tensors.

/** A JSON value whose objects are Maps. */
export type Json = null | boolean | number | string | Json[] | Map<string, Json>;

const space = /[\t\n\r ]*/y;
const word = /-?[0-9][0-9.eE+-]*|true|false|null/y;
const usualDepth = 16;

/** Where the string that opens at `from` ends (one past its closing quote), or the text's length if it never does. */
function stringEnd(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return Math.min(at + 1, text.length);
}

/**
 * Parses one JSON text.
 * @param maxDepth how deep values may be nested; recursion goes as deep
 * @throws SyntaxError with the position, for anything that is not JSON, for a repeated key and for deep nesting
 */
export function parseStrictJson(text: string, maxDepth: number = usualDepth): Json {
  let at = 0;

  const fail = (what: string): SyntaxError => new SyntaxError(`${what} at position ${at}`);

  const skipSpace = (): void => {
    space.lastIndex = at;
    space.test(text);
    at = space.lastIndex;
  };

  /** Steps over `mark` if it comes next. */
  const take = (mark: string): boolean => {
    skipSpace();
    if (text[at] !== mark) return false;
    at++;
    return true;
  };

  const parseScalar = (): null | boolean | number | string => {
    skipSpace();
    word.lastIndex = at;
    const token = text[at] === '"' ? text.slice(at, stringEnd(text, at)) : word.exec(text)?.[0];
    if (token === undefined) throw fail(at < text.length ? "unexpected character" : "unexpected end");
    try {
      const value = JSON.parse(token) as null | boolean | number | string;
      at += token.length;
      return value;
    } catch {
      throw fail("malformed string or number");
    }
  };

  const parseObject = (depth: number): Map<string, Json> => {
    const object = new Map<string, Json>();
    if (take("}")) return object;
    do {
      const key = parseScalar();
      if (typeof key !== "string") throw fail("a key that is not a string");
      if (object.has(key)) throw fail(`duplicate key ${JSON.stringify(key.slice(0, 80))}`);
      if (!take(":")) throw fail("missing colon");
      object.set(key, parseValue(depth + 1));
    } while (take(","));
    if (!take("}")) throw fail("unclosed object");
    return object;
  };

  const parseArray = (depth: number): Json[] => {
    const array: Json[] = [];
    if (take("]")) return array;
    do array.push(parseValue(depth + 1));
    while (take(","));
    if (!take("]")) throw fail("unclosed array");
    return array;
  };

  function parseValue(depth: number): Json {
    if (depth > maxDepth) throw fail("nesting too deep");
    if (take("{")) return parseObject(depth);
    if (take("[")) return parseArray(depth);
    return parseScalar();
  }

  const value = parseValue(0);
  skipSpace();
  if (at < text.length) throw fail("unexpected character after the end");
  return value;
}
