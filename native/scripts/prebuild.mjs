// Makes the prebuilt binary of this machine under prebuilds/, through prebuildify driving cmake-js. It builds in
// build-prebuild/ so that the developer's own build/ stays as it is.

import { mkdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { hostTarget, prebuildPath } from "./targets.mjs";
import { missingTools } from "./toolchain.mjs";

const scripts = dirname(fileURLToPath(import.meta.url));
const root = join(scripts, "..", "..");
const prebuildify = promisify(createRequire(import.meta.url)("prebuildify"));

/** @param {import("./targets.mjs").Target} target */
async function build(target) {
  const staging = join(root, "build-prebuild", target.name);
  mkdirSync(staging, { recursive: true });
  // The C++ runtime goes in, so that the binary asks nothing of the machine but its C library.
  const linkerFlags = "-static-libstdc++ -static-libgcc -Wl,--exclude-libs,ALL";
  process.env.PACKED_LSTM_ROOT = root;
  process.env.PACKED_LSTM_CMAKE_ARGS = JSON.stringify(
    target.platform === "linux" ? [`--CDCMAKE_SHARED_LINKER_FLAGS=${linkerFlags}`] : [],
  );
  const shim = join(scripts, "gyp-shim.mjs");
  await prebuildify({
    cwd: staging,
    out: root,
    name: "packed-lstm",
    napi: true,
    strip: true,
    platform: target.platform,
    arch: target.arch,
    tagLibc: target.libc !== undefined,
    libc: target.libc ?? "",
    nodeGyp: process.platform === "win32" ? `node "${shim}"` : shim,
  });
  const path = prebuildPath(target);
  console.log(`${path}: ${Math.round(statSync(join(root, path)).size / 1024)} KB`);
}

const missing = missingTools();
if (missing) {
  console.error(missing);
  process.exit(1);
}
await build(hostTarget());
