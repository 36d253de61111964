// The C++ compiler that tests of native sources use, where there is one.

import { spawnSync } from "node:child_process";

export const compiler = process.env.CXX ?? "c++";
export const compiles = process.platform !== "win32" && spawnSync(compiler, ["--version"]).status === 0;
