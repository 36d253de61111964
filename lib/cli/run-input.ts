// Opens what `run` reads, in whichever format the name tells.

import { UsageError } from "./command.js";
import { npyInput, npzInput } from "./run-arrays.js";
import { checkRegular, formatOf, standard } from "./run-files.js";
import type { Input, InputOptions } from "./run-items.js";
import { jsonlInput } from "./run-jsonl.js";

/**
 * @throws UsageError when the name tells no format, or one that has no columns to keep; RangeError ERR_FILE when the file
 *   does not hold what it should, or is none
 */
export async function openInput(path: string, options: InputOptions): Promise<Input> {
  const format = formatOf(path);
  if (path !== standard) checkRegular(path, "; JSON lines are read from one with --input -");
  switch (format) {
    case ".npy":
      if (options.keep.length > 0)
        throw new UsageError("run: --keep: a .npy has no columns; .npz, .jsonl and .parquet do");
      return npyInput(path, options);
    case ".npz":
      return npzInput(path, options);
    case ".jsonl":
      return jsonlInput(path, options);
    case ".parquet": {
      const { parquetInput } = await import("./run-parquet.js");
      return parquetInput(path, options);
    }
  }
}
