// What a file holds and its reader passed over: a tensor of numbers that no Tensor holds, a layer that no module computes.
// A reader fails only for what was asked of it, so such a thing costs the rest of the file nothing; but it is not lost in
// silence either. Its name stays with the dict that was read: whoever asks for it is told why it is not there.
// Every reader notes here, and whatever looks a name up in a state dict asks here before it says "missing".

import { describe, rangeError } from "../check.js";

const noted = new WeakMap<object, Map<string, string>>();

/**
 * Notes that what was read leaves something out.
 * @param owner what the reader returns, a dict or a list
 * @param name the key that is left out, or what stands before all keys of a layer that is, with its dot: "encoder."
 * @param reason what is there instead, to follow "expected …, but got": "F4, which is not read"
 */
export function notePassedOver(owner: object, name: string, reason: string): void {
  const names = noted.get(owner) ?? new Map<string, string>();
  noted.set(owner, names);
  names.set(name, reason);
}

/**
 * Leaves a tensor out of a dict: its key is listed nowhere, and reading `dict[name]` throws.
 * @param label file and tensor, for the message
 * @param reason as {@link notePassedOver}
 */
export function passOver(dict: object, name: string, label: string, reason: string): void {
  notePassedOver(dict, name, reason);
  const get = (): never => {
    throw rangeError("ERR_FILE", label, "a tensor that can be read", reason);
  };
  Object.defineProperty(dict, name, { get, enumerable: false, configurable: true });
}

/** What was left out of a dict or list that a reader returned, by name, with the reason; empty for any other object. */
export function passedOver(owner: object): ReadonlyMap<string, string> {
  return noted.get(owner) ?? new Map();
}

/** Why a key is not there, when its reader passed it or the whole layer before it over: for the end of a message. */
export function whyPassedOver(dict: object, key: string): string | undefined {
  const names = passedOver(dict);
  const exact = names.get(key);
  if (exact !== undefined) return exact;
  for (const [name, reason] of names) {
    if (name.endsWith(".") && key.startsWith(name)) return `${describe(name.slice(0, -1))}, passed over: ${reason}`;
  }
  return undefined;
}
