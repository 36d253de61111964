// Packs the package and uses it as a stranger would: installed in an empty project without scripts, without network,
// without a compiler in reach; imported, required, type-checked, tested with Jest, bundled, run on a terminal, built.
// With --release also in frameworks that npm has to fetch, which takes minutes. Exits with 1 at the first thing that is
// not as it should be.

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { checkBundlers } from "./package/bundlers.mjs";
import { checkBuild, checkCommandLine, checkTerminal } from "./package/command-line.mjs";
import { checkContents, checkManifest, checkOrigin, checkScripts } from "./package/contents.mjs";
import { checkFrameworks } from "./package/frameworks.mjs";
import { checkErrors, checkJest, checkModules, checkTypes, files } from "./package/modules.mjs";
import { createProject, must } from "./package/project.mjs";
import { prebuildPath, targets } from "./targets.mjs";

/** A bundler wants every binary that the loader names; a release has them all, this machine maybe its own only. */
function standInForAbsentBinaries(/** @type {string} */ folder) {
  for (const target of targets) {
    const path = join(folder, "node_modules/packed-lstm", prebuildPath(target));
    mkdirSync(dirname(path), { recursive: true });
    if (!existsSync(path)) writeFileSync(path, "");
  }
}

const project = createProject(files);
try {
  const packed = await checkOrigin(project);
  checkContents(packed);
  const tarball = join(project.folder, packed.filename);
  project.run("npm", ["install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund", tarball]);
  checkManifest(project);
  checkScripts(project, packed);
  const env = project.bare();
  checkModules(project, env);
  checkErrors(project, env);
  checkJest(project);
  checkCommandLine(project, env);
  checkTerminal(project);
  checkTypes(project, tarball);
  if (process.argv.includes("--release")) await checkFrameworks(tarball);
  standInForAbsentBinaries(project.folder);
  await checkBundlers(project.folder, (path) => project.run("node", [path], { env, cwd: dirname(path) }), must);
  checkBuild(project);
} finally {
  project.remove();
}
