// Tells what kind of file a file is, by what it holds and never by its name; and says so in one sentence, with the one step
// that helps. The readers' refusals and the one door (loadWeights) go by it. It reads no tensors.

import { rangeError } from "../check.js";
import { readBytes, readHead, type Source } from "./source.js";
import { openZip } from "./zip.js";

/** What each kind is, and what to do about one that came to a reader of another kind. */
const kinds = {
  safetensors: ["a safetensors file", "loadSafetensors reads it"],
  "safetensors-index": ["the index of a sharded safetensors model", "loadSafetensors reads it by its path"],
  "torch-zip": ["a file of torch.save", "loadTorch reads it"],
  "torch-legacy": ["a file of torch.save in its legacy format", "loadTorch reads it"],
  "torch-tar": [
    "a tar archive, as torch.save wrote before version 0.1.10",
    'torch.save(torch.load(path, map_location="cpu"), another_path) in Python makes a file that can be read',
  ],
  "torch-package": [
    "an archive of torch.package",
    "in Python, torch.save(model.state_dict(), another_path) of the model in it makes a file that can be read",
  ],
  torchscript: ["a TorchScript archive", "loadTorch reads it"],
  pt2: ["a program of torch.export", "loadTorch reads it"],
  pickle: ["a bare pickle", "loadTorch reads it"],
  npz: ["a NumPy archive (.npz)", "loadTorch reads it"],
  npy: ["one NumPy array (.npy) without a name", "np.savez(another_path, name=array) in Python gives it one"],
  onnx: ["an ONNX model", "loadOnnx reads it"],
  hdf5: ["an HDF5 file, as Keras writes .h5", "loadKeras reads it"],
  "keras-zip": ["a .keras archive", "loadKeras reads it"],
  tfjs: ["a TensorFlow.js model.json", "loadKeras reads it by its path"],
  "saved-model": [
    "a TensorFlow SavedModel",
    "keras.models.load_model(folder).save(another_path) makes a .keras file, where it is a Keras model",
  ],
  tflite: ["a TensorFlow Lite model", "load the model that it was converted from"],
  gguf: ["a GGUF file", "load the model that it was converted from"],
  zip: ["a zip archive that is no model itself", "unpack it, and load the file in it"],
  tar: ["a tar archive", "unpack it, and load the file in it"],
  gzip: ["a gzip file", "gunzip it first"],
  bzip2: ["a bzip2 file", "bunzip2 it first"],
  xz: ["an xz file", "unxz it first"],
  zstd: ["a zstd file", "unzstd it first"],
  "7z": ["a 7-Zip archive", "unpack it, and load the file in it"],
  "lfs-pointer": ["a Git LFS pointer", "git lfs pull fetches the file itself"],
  html: ["an HTML page", "what was downloaded is a web page, not the file: use the address of the file itself"],
  xml: [
    "an XML document",
    "what was downloaded is a server's answer, not the file: use the address of the file itself",
  ],
  json: ["JSON", "load the file that holds the weights"],
  empty: ["an empty file", "download or save it again"],
  unknown: ["another format", ""],
} as const satisfies Record<string, readonly [what: string, step: string]>;

/** What a file may be told to be. */
export type FileKind = keyof typeof kinds;

const headLength = 64 * 1024;

/**
 * The kind of a file, by its first bytes; of a zip archive by the names in it, and of a JSON text by its keys. Never throws
 * but for the file system's own errors: what is damaged is called what it starts as.
 */
export function kindOf(source: Source): FileKind {
  const head = readHead(source, headLength);
  if (head.length === 0) return "empty";
  const starts = (mark: string, at = 0): boolean => latin1(head, at, at + mark.length) === mark;
  if (starts("PK\x03\x04") || starts("PK\x05\x06")) return kindOfZip(source);
  // A header's length in 8 bytes, the upper of which are 0 in any file there is, and the header's brace.
  if (head[8] === 0x7b && head[7] === 0 && head[6] === 0) return "safetensors";
  if (starts("\x80")) return latin1(head, 0, 32).includes(legacyMagic) ? "torch-legacy" : "pickle";
  for (const [mark, kind] of marks) if (starts(mark)) return kind;
  if (starts("TFL3", 4)) return "tflite";
  if (starts("ustar", 257)) return isTorchTar(source) ? "torch-tar" : "tar";
  const text = latin1(head, 0, head.length).replace(/^(\xef\xbb\xbf)?\s*/, "");
  if (/^<(!doctype html|html|head|body)/i.test(text)) return "html";
  if (/^<(\?xml|error)/i.test(text)) return "xml";
  if (/^[[{]/.test(text)) return kindOfJson(source, text);
  // Without a protocol's number: pickles as Python 2 wrote them, of a dict, a list, an instance or an array.
  if (starts("}q\0") || starts("]q\0")) return "pickle";
  if (/^(\((dp|lp|i[\w.]+\n)|c(numpy|collections|copy_reg|torch|__builtin__)[\w.]*\n)/.test(text)) return "pickle";
  // A SavedModel starts with its schema version, 1; an ONNX model with its ir_version, which was 3 when files came up.
  if (starts("\x08\x01\x12")) return "saved-model";
  return head[0] === 0x08 ? "onnx" : "unknown";
}

/** torch.save's magic number, 0x1950a86a20f9469cfc6c, as it is pickled. */
const legacyMagic = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";

const marks: readonly (readonly [mark: string, kind: FileKind])[] = [
  ["\x89HDF\r\n\x1a\n", "hdf5"],
  ["\x93NUMPY", "npy"],
  ["\x1f\x8b", "gzip"],
  ["BZh", "bzip2"],
  ["\xfd7zXZ\0", "xz"],
  ["\x28\xb5\x2f\xfd", "zstd"],
  ["7z\xbc\xaf\x27\x1c", "7z"],
  ["GGUF", "gguf"],
  ["version https://git-lfs", "lfs-pointer"],
  ["version https://hawser", "lfs-pointer"],
];

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1", from, to);
}

function kindOfZip(source: Source): FileKind {
  let names: string[];
  try {
    names = [...openZip(source).names];
  } catch (error) {
    // A damaged archive: its reader says where the damage is.
    if (error instanceof RangeError && "code" in error) return "torch-zip";
    throw error;
  }
  const has = (pattern: RegExp): boolean => names.some((name) => pattern.test(name));
  if (has(/^model\.weights\.h5$/) || (has(/^config\.json$/) && has(/^metadata\.json$/))) return "keras-zip";
  if (has(/^([^/]+\/)?models\/[^/]+\.json$/) || has(/^serialized_exported_program\.json$/)) return "pt2";
  if (has(/^([^/]+\/)?\.data\/extern_modules$/)) return "torch-package";
  if (has(/^[^/]+\/constants\.pkl$/)) return "torchscript";
  if (has(/^[^/]+\/data\.pkl$/)) return "torch-zip";
  return names.length > 0 && names.every((name) => name.endsWith(".npy")) ? "npz" : "zip";
}

/** As torch.save laid such an archive out: a folder of three files, their order the tar's own. */
function isTorchTar(source: Source): boolean {
  const names = new Set<string>();
  for (let at = 0, files = 0; at + 512 <= source.size && files < 8; files++) {
    const header = readBytes(source, source.name, at, 512);
    names.add(
      latin1(header, 0, 100)
        .replace(/\0[\s\S]*$/, "")
        .replace(/^.*\//, ""),
    );
    const size = Number.parseInt(latin1(header, 124, 136), 8);
    if (!(size >= 0)) break;
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return names.has("storages") && names.has("tensors") && names.has("pickle");
}

/** A model.json may be long before the key that tells: its end is looked at too. */
function kindOfJson(source: Source, head: string): FileKind {
  const tail = Math.min(source.size, headLength);
  const text = head + latin1(readBytes(source, source.name, source.size - tail, tail), 0, tail);
  if (/"weight_map"\s*:/.test(text)) return "safetensors-index";
  return /"(weightsManifest|modelTopology)"\s*:/.test(text) ? "tfjs" : "json";
}

/** What a kind is, with its article: "a Git LFS pointer". */
export function describeKind(kind: FileKind): string {
  return kinds[kind][0];
}

/**
 * Builds (does not throw) a reader's error for a file of another kind than its own.
 * @param expected what the reader takes
 */
export function foreignFile(source: Source, expected: string, kind: FileKind): RangeError {
  const [what, step] = kinds[kind];
  return rangeError("ERR_FILE", source.name, expected, step === "" ? what : `${what}: ${step}`);
}
