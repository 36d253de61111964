// Which tensors of a file a `{ prefix }` asks for.

/** The last part of a prefix under which a wrapper keeps the module that it wraps. */
const wrapped = "module.";

/**
 * Whether a tensor is read for a prefix: its name starts with it. Or it is the weight itself that dropout acts on, which
 * fastai's wrapper keeps beside the wrapped module: "rnns.0.weight_hh_l0_raw" for "rnns.0.module.".
 */
export function reads(prefix: string, name: string): boolean {
  if (name.startsWith(prefix)) return true;
  const outer = rawPrefix(prefix);
  return outer !== undefined && name.startsWith(outer) && /^[^.]+_raw$/.test(name.slice(outer.length));
}

/** Where the weights of dropout stand for the modules under a prefix, if that is not the prefix itself. */
export function rawPrefix(prefix: string): string | undefined {
  const outer = prefix.slice(0, -wrapped.length);
  return prefix.endsWith(wrapped) && (outer === "" || outer.endsWith(".")) ? outer : undefined;
}
