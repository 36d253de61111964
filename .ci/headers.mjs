// Copies Node-API's headers and their C++ wrapper from the development dependencies to native/headers, where CMake looks
// for them, so that the packed package carries them and builds from source without network or dependencies.

import { copyFileSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const target = join(dirname(fileURLToPath(import.meta.url)), "..", "native", "headers");

const files = {
  "node-api-headers": [
    ...["js_native_api.h", "js_native_api_types.h", "node_api.h", "node_api_types.h"].map((name) => `include/${name}`),
    "LICENSE",
  ],
  "node-addon-api": ["napi.h", "napi-inl.h", "napi-inl.deprecated.h", "LICENSE.md"],
};

export function copyHeaders() {
  mkdirSync(target, { recursive: true });
  for (const [name, paths] of Object.entries(files)) {
    const from = dirname(require.resolve(`${name}/package.json`));
    for (const path of paths) {
      const base = path.replace(/^.*\//, "");
      copyFileSync(join(from, path), join(target, base.startsWith("LICENSE") ? `${name}.LICENSE` : base));
    }
  }
}
