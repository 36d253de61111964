// The package in what npm has to fetch first: Next.js, Vite, a tracer of deployed files, Node's single executables. Each is
// set up as the guide "Platforms and bundlers" says, in a project of its own, and the result is run where nothing but it can
// provide the addon.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, cpSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { build } from "esbuild";
import { createProject, must } from "./project.mjs";

/** @typedef {import("./project.mjs").Project} Project */

const compute = `import { LSTM, tensor } from "packed-lstm";
export const shape = () => new LSTM(3, 4, { batchFirst: true }).forward(tensor([[[1, 2, 3], [4, 5, 6]]]))[0].shape.join();
`;
const print = 'import { shape } from "./compute.mjs";\nconsole.log(shape());\n';
const expected = "1,2,4";

/** Away from its project, no result finds the package that it was made of. @param {string} from @param {string} [as] */
function moveAway(from, as = basename(from)) {
  const folder = mkdtempSync(join(tmpdir(), "packed-lstm-deployed-"));
  cpSync(from, join(folder, as), { recursive: true, verbatimSymlinks: true });
  return folder;
}

/** @param {Project} project @param {string} to */
function copyPrebuilds({ folder }, to) {
  cpSync(join(folder, "node_modules/packed-lstm/prebuilds"), join(folder, to, "prebuilds"), { recursive: true });
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  server.close();
  await once(server, "close");
  return port;
}

/** What a server answers, once it does. @param {string} url @returns {Promise<string>} */
async function answer(url) {
  for (let tries = 0; tries < 100; tries++) {
    try {
      return await (await fetch(url)).text();
    } catch {
      await setTimeout(200);
    }
  }
  throw new Error(`${url} does not answer`);
}

const nextApp = {
  "next.config.mjs":
    'export default { output: "standalone", serverExternalPackages: ["packed-lstm"], outputFileTracingRoot: import.meta.dirname };\n',
  "app/layout.js": "export default function Layout({ children }) { return <html><body>{children}</body></html>; }\n",
  "app/page.js": "export default function Page() { return <p>hello</p>; }\n",
  "app/shape/route.js":
    'import { shape } from "../../compute.mjs";\nexport const dynamic = "force-dynamic";\nexport const GET = () => new Response(shape());\n',
};

/** @param {Project} project */
async function checkNext(project) {
  project.write(nextApp);
  project.run("npx", ["next", "build"], { env: { ...process.env, NEXT_TELEMETRY_DISABLED: "1" } });
  const away = moveAway(join(project.folder, ".next/standalone"));
  const PORT = String(await freePort());
  const env = { ...process.env, PORT, HOSTNAME: "127.0.0.1" };
  const server = spawn(process.execPath, ["server.js"], { cwd: join(away, "standalone"), env, stdio: "inherit" });
  try {
    must(
      (await answer(`http://127.0.0.1:${PORT}/shape`)) === expected,
      "runs in Next.js, standalone, built with Turbopack",
    );
  } finally {
    server.kill();
    await once(server, "exit");
    rmSync(away, { recursive: true, force: true });
  }
}

/** @param {Project} project */
function checkVite(project) {
  project.write({ "vite.config.mjs": "export default {};\n" });
  project.run("npx", ["vite", "build", "--ssr", "print.mjs", "--outDir", "external"]);
  must(project.run("node", ["external/print.mjs"]).trim() === expected, "runs in Vite SSR, external");
  project.write({ "vite.config.mjs": "export default { ssr: { noExternal: true } };\n" });
  project.run("npx", ["vite", "build", "--ssr", "print.mjs", "--outDir", "bundled"]);
  copyPrebuilds(project, "bundled");
  const away = moveAway(join(project.folder, "bundled"));
  must(project.run("node", [join(away, "bundled/print.mjs")]).trim() === expected, "runs in Vite SSR, bundled");
  rmSync(away, { recursive: true, force: true });
}

const trace = `
import { nodeFileTrace } from "@vercel/nft";
for (const entry of ["print.mjs", "print.cjs"]) console.log(...(await nodeFileTrace([entry])).fileList);
`;

/** @param {Project} project */
function checkTracer(project) {
  project.write({ "trace.mjs": trace, "print.cjs": 'console.log(require("packed-lstm").runtimeInfo().isa);\n' });
  const traced = project.run("node", ["trace.mjs"]).trim().split("\n");
  must(
    traced.length === 2 && traced.every((files) => /packed-lstm\/prebuilds\/\S+\.node/.test(files)),
    "has its binary traced by @vercel/nft, imported or required",
  );
}

/** @param {Project} project */
async function checkSingleExecutable(project) {
  const { folder } = project;
  await build({
    entryPoints: [join(folder, "print.mjs")],
    outfile: join(folder, "app.cjs"),
    bundle: true,
    platform: "node",
    format: "cjs",
    logOverride: { "empty-import-meta": "silent" },
  });
  project.write({ "sea.json": '{ "main": "app.cjs", "output": "app.blob", "disableExperimentalSEAWarning": true }' });
  project.run("node", ["--experimental-sea-config", "sea.json"]);
  const program = join(folder, "single/app");
  cpSync(process.execPath, program, { recursive: true });
  chmodSync(program, 0o755);
  const fuse = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";
  project.run("npx", ["postject", program, "NODE_SEA_BLOB", "app.blob", "--sentinel-fuse", fuse]);
  copyPrebuilds(project, "single");
  const away = moveAway(join(folder, "single"));
  must(project.run(join(away, "single/app"), []).trim() === expected, "runs in a single executable application");
  rmSync(away, { recursive: true, force: true });
}

/** @param {string} tarball */
export async function checkFrameworks(tarball) {
  const project = createProject({ "compute.mjs": compute, "print.mjs": print });
  try {
    const tools = ["next@16", "react@19", "react-dom@19", "vite@8", "@vercel/nft@1", "postject@1.0.0-alpha.6"];
    project.run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", tarball, ...tools]);
    checkTracer(project);
    checkVite(project);
    await checkSingleExecutable(project);
    await checkNext(project);
  } finally {
    project.remove();
  }
}
