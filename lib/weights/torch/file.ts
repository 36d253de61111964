// What a file of PyTorch's or NumPy's is once it is opened, whatever its format: values that refer to storages.

import type { Contents } from "./contents.js";
import type { StorageBytes } from "./tensors.js";

export interface TorchFile extends Contents {
  /** The names of the Python functions and classes in it that are not known here, and stay opaque. */
  readonly opaque: ReadonlySet<string>;
  /** Opens a storage by the name that its refs have. @throws RangeError ERR_FILE when there is none */
  readonly storage: (place: string) => StorageBytes;
  /** Why it may hold no tensors although it is a model. */
  readonly whyEmpty?: string;
}
