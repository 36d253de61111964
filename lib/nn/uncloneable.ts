// Objects that structuredClone and postMessage refuse, because a copy of their properties would be one without what
// makes them: weights and states, which are private. Knows no modules.

const nothing = (): void => {};

const Registry = FinalizationRegistry as unknown as new (cleanup: () => void) => object;

/**
 * A class whose objects cannot be cloned. The structured clone takes objects by what they are, not by their prototypes: these
 * are FinalizationRegistries, which it refuses, so that no property of theirs needs to be odd. Nothing else is to be seen
 * of it, since the prototype is that of a plain object.
 * https://html.spec.whatwg.org/multipage/structured-data.html#structuredserializeinternal
 * @internal
 */
export abstract class Uncloneable extends Registry {
  constructor() {
    super(nothing);
  }

  static {
    Object.setPrototypeOf(Uncloneable.prototype, Object.prototype);
  }
}

/** Makes V8's "[object …] could not be cloned" name the class; it reads the tag from a plain property alone. */
export function named(Class: { readonly prototype: Uncloneable; readonly name: string }): void {
  Object.defineProperty(Class.prototype, Symbol.toStringTag, { value: Class.name });
}
