// Which peers are present. Where one is not, why, in its place; nothing is run or timed.

import type { Peers } from "./contest.js";
import { loadOrt } from "./onnxruntime.js";
import { OpenVINO } from "./openvino.js";
import { loadTfjs } from "./tfjs.js";
import { Torch } from "./torch.js";

export const peerChoices = ["onnxruntime", "torch", "openvino", "tfjs"] as const;

export interface Found {
  readonly peers: Peers;
  readonly versions: Record<string, string>;
  readonly missing: Record<string, string>;
}

/** Those of the wanted peers that are present, and why the others are not. */
export async function findPeers(wanted: readonly string[]): Promise<Found> {
  const versions: Record<string, string> = {};
  const missing: Record<string, string> = {};
  const find = async <T>(
    name: string,
    load: () => T | string | Promise<T | string>,
    versionOf: (peer: T) => string,
  ) => {
    if (!wanted.includes(name)) return undefined;
    const found = await load();
    if (typeof found === "string") {
      missing[name] = found;
      return undefined;
    }
    versions[name] = versionOf(found);
    return found;
  };
  const onnxruntime = await find("onnxruntime", loadOrt, ({ env }) => env.versions.node ?? "?");
  const torch = await find(
    "torch",
    () => Torch.start(process.env.PACKED_LSTM_BENCH_PYTHON),
    ({ version }) => version,
  );
  const openvino = await find(
    "openvino",
    () => OpenVINO.start(process.env.PACKED_LSTM_BENCH_PYTHON),
    ({ version }) => version,
  );
  const tfjs = await find("tfjs", loadTfjs, ({ version }) => version);
  const peers = {
    ...{
      ...(onnxruntime && { onnxruntime }),
      ...(torch && { torch }),
      ...(openvino && { openvino }),
      ...(tfjs && { tfjs }),
    },
  };
  return { peers, versions, missing };
}
