// The house rules as a function from files to complaints: floors that import downward only, no cycles, small
// files that open with a comment, a fixed top level. It knows paths and text, and nothing of disks or of git.

/** Every file of the repository that the rules judge: path from the root → text. */
export type SourceTree = ReadonlyMap<string, string>;

const maxLines = 330;

const topLevel = new Set([
  ...["native", "lib", "test", "bench", "examples", ".ci", ".github"],
  ...["CMakeLists.txt", "package.json", "package-lock.json", "tsconfig.json", "binding.d.ts"],
  ...["README.md", "LICENSE", "CHANGELOG.md"],
]);

/** Top floor first. An import may go to its own floor or to a lower one, never up. */
const libFloors: readonly (readonly RegExp[])[] = [
  [/^lib\/cli\/main\.ts$/],
  [/^lib\/cli\/(inspect|run|bench|build)(-[a-z-]+)?\.ts$/],
  [/^lib\/cli\/(model-file|model-layers|npy|progress)\.ts$/],
  [/^lib\/cli\/command\.ts$/],
  [/^lib\/index\.ts$/],
  [/^lib\/nn\/recurrent\/(recurrent|lstm|gru|rnn|cell)(-[a-z-]+)?\.ts$/],
  [/^lib\/nn\/map\//],
  [/^lib\/nn\/(linear|embedding)\.ts$/, /^lib\/nn\/recurrent\//],
  [/^lib\/nn\/(module|state-dict|uncloneable|weight-dtype)\.ts$/],
  [/^lib\/weights\//],
  [/^lib\/sequences\//],
  [/^lib\/random\//],
  [/^lib\/tensor\//],
  [/^lib\/runtime\//],
  [/^lib\/(check|native)\.ts$/],
  [/^binding\.d\.ts$/],
];

const nativeFloors: readonly (readonly RegExp[])[] = [
  [/^native\/[a-z_]+\.(cc|h)$/, /^native\/binding\//],
  [/^native\/rnn\//],
  [/^native\/(sequences|linear|embedding)\//],
  [/^native\/gemm\//],
  [/^native\/kernels\//],
  [/^native\/base\//],
];

const isLib = (path: string): boolean => path.startsWith("lib/");
const isCpp = (path: string): boolean => /^native\/.*\.(cc|h|inc)$/.test(path);

function floorOf(path: string): number {
  const floors = isCpp(path) ? nativeFloors : libFloors;
  return floors.findIndex((patterns) => patterns.some((pattern) => pattern.test(path)));
}

/** Joins a relative path to the folder of `from`, resolving "." and "..". */
function join(from: string, to: string): string {
  const parts = from.split("/").slice(0, -1);
  for (const part of to.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

/** The project's own files that `path` imports; a specifier that leads nowhere is a complaint. */
function importsOf(tree: SourceTree, path: string, complaints: string[]): string[] {
  const found: string[] = [];
  const text = withoutComments(tree.get(path) ?? "");
  const pattern = isCpp(path) ? /^\s*#\s*include\s+"([^"]+)"/gm : /(?:\bfrom|\bimport)\s*\(?\s*"(\.{1,2}\/[^"]+)"/g;
  for (const [, name = ""] of text.matchAll(pattern)) {
    const candidates = isCpp(path)
      ? [join(path, name), `native/${name}`, name]
      : [join(path, name.replace(/\.js$/, ".ts")), join(path, name.replace(/\.js$/, ".d.ts"))];
    const target = candidates.find((candidate) => tree.has(candidate));
    if (target) found.push(target);
    else complaints.push(`${path}: "${name}" is no file of this repository`);
  }
  return found;
}

function checkFloors(graph: ReadonlyMap<string, readonly string[]>, complaints: string[]): void {
  for (const [path, targets] of graph) {
    if (floorOf(path) < 0) complaints.push(`${path}: on no floor; give it one in test/support/architecture.ts`);
    for (const target of targets) {
      if (isLib(target) !== isLib(path) && target !== "binding.d.ts") {
        complaints.push(`${path}: reaches out of its own house to ${target}`);
      } else if (floorOf(target) < floorOf(path)) {
        complaints.push(`${path}: imports upward, from ${target}`);
      }
    }
  }
}

function checkCycles(graph: ReadonlyMap<string, readonly string[]>, complaints: string[]): void {
  const done = new Set<string>();
  const walk = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) complaints.push(`${path}: part of a cycle, ${[...trail.slice(start), path].join(" → ")}`);
    if (start >= 0 || done.has(path)) return;
    for (const target of graph.get(path) ?? []) walk(target, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) walk(path, []);
}

/** Node-API stays in native/binding, and libuv stays out altogether: the core must not know who calls it. */
function checkHosts(path: string, text: string, complaints: string[]): void {
  if (/#\s*include\s+[<"](napi|node_api|js_native_api)\w*\.h[>"]/.test(text) && floorOf(path) !== 0) {
    complaints.push(`${path}: includes Node-API below native/binding`);
  }
  if (/\buv_\w+\s*\(|#\s*include\s+[<"]uv\.h[>"]/.test(text)) complaints.push(`${path}: uses libuv`);
}

function checkRoom(path: string, text: string, complaints: string[]): void {
  if (!/(\.(ts|mjs|cc|h|inc|py)|CMakeLists\.txt|\.ci\/run)$/.test(path)) return;
  const lines = text.trimEnd().split("\n").length;
  if (lines > maxLines) complaints.push(`${path}: ${lines} lines; a room has about 300, ${maxLines} at most`);
  const opening = text.replace(/^#!.*\n/, "").trimStart();
  if (!/^(\/\/|\/\*|#(?!\w)|""")/.test(opening)) complaints.push(`${path}: does not open by saying what it does`);
}

function checkTopLevel(path: string, complaints: string[]): void {
  const [entry = ""] = path.split("/");
  if (!topLevel.has(entry) && !(entry.startsWith(".") && entry === path)) {
    complaints.push(`${path}: ${entry} has no place at the top level`);
  }
}

/** Every breach of the house rules, as sentences that name the file; empty when all is well. */
export function complaintsAbout(tree: SourceTree): string[] {
  const complaints: string[] = [];
  const graph = new Map<string, readonly string[]>();
  for (const [path, text] of tree) {
    checkTopLevel(path, complaints);
    checkRoom(path, text, complaints);
    if (isLib(path) || isCpp(path)) graph.set(path, importsOf(tree, path, complaints));
    if (isCpp(path)) checkHosts(path, text, complaints);
  }
  checkFloors(graph, complaints);
  checkCycles(graph, complaints);
  return complaints;
}
