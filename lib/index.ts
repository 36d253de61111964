// The public face of packed-lstm: re-exports, nothing else.

export type { ErrorCode } from "./check.js";
export type { EmbeddingFromStateDictOptions, EmbeddingOptions } from "./nn/embedding.js";
export { Embedding } from "./nn/embedding.js";
export type { LinearFromStateDictOptions, LinearOptions, LinearWeightDType } from "./nn/linear.js";
export { Linear } from "./nn/linear.js";
export type { HiddenMapResult, MapOptions, MapProgress, MapResult, MapSource } from "./nn/map/map.js";
export type { SharedModule } from "./nn/module.js";
export type { HiddenOutput, LSTMOutput } from "./nn/recurrent/call.js";
export { GRU } from "./nn/recurrent/gru.js";
export { GRUCell } from "./nn/recurrent/gru-cell.js";
export { LSTM } from "./nn/recurrent/lstm.js";
export { LSTMCell } from "./nn/recurrent/lstm-cell.js";
export type {
  CellFromStateDictOptions,
  ForwardOptions,
  FromStateDictOptions,
  GRUCellOptions,
  GRUOptions,
  HiddenForwardOptions,
  LSTMCellOptions,
  LSTMOptions,
  RNNCellFromStateDictOptions,
  RNNCellOptions,
  RNNFromStateDictOptions,
  RNNOptions,
} from "./nn/recurrent/options.js";
export type { HiddenOut, LSTMOut } from "./nn/recurrent/out.js";
export { RNN } from "./nn/recurrent/rnn.js";
export { RNNCell } from "./nn/recurrent/rnn-cell.js";
export type { LSTMState } from "./nn/recurrent/state.js";
export type { GRUStream, LSTMStream, RNNStream, StreamOptions } from "./nn/recurrent/stream.js";
export type { LoadStateDictOptions, StateDict } from "./nn/state-dict.js";
export type { WeightDType } from "./nn/weight-dtype.js";
export { manualSeed, rand, randn } from "./random/random.js";
export type { ForwardAsyncOptions } from "./runtime/job.js";
export type { RuntimeInfo } from "./runtime/runtime.js";
export { getNumThreads, runtimeInfo, setNumThreads } from "./runtime/runtime.js";
export type { PackOptions, PadOptions, UnpadOptions } from "./sequences/lists.js";
export { packSequence, padSequence, unpackSequence, unpadSequence } from "./sequences/lists.js";
export type { PackPaddedOptions, PadPackedOptions } from "./sequences/packed.js";
export { invertPermutation, PackedSequence, packPaddedSequence, padPackedSequence } from "./sequences/packed.js";
export type { AnyTypedArray, ForeignTensor } from "./tensor/foreign.js";
export type { NestedInput } from "./tensor/make.js";
export { full, ones, tensor, zeros } from "./tensor/make.js";
export type { AllcloseOptions, SortOptions } from "./tensor/ops.js";
export { allclose, cat, sort, stack } from "./tensor/ops.js";
export type { FloatDType } from "./tensor/strided.js";
export type { DType, Ints, NestedNumbers, TensorData, TensorLike } from "./tensor/tensor.js";
export { Tensor } from "./tensor/tensor.js";
export type { KerasLayer, KerasLayers } from "./weights/keras/load.js";
export { loadKeras } from "./weights/keras/load.js";
export type { LoadWeightsOptions } from "./weights/load-weights.js";
export { loadWeights } from "./weights/load-weights.js";
export type { OnnxGRU, OnnxLSTM, OnnxModule, OnnxModules, OnnxPassedOver, OnnxRNN } from "./weights/onnx/onnx.js";
export { loadOnnx } from "./weights/onnx/onnx.js";
export type { LoadSafetensorsOptions } from "./weights/safetensors/load.js";
export { loadSafetensors } from "./weights/safetensors/load.js";
export type { SaveSafetensorsOptions } from "./weights/safetensors/save.js";
export { saveSafetensors } from "./weights/safetensors/save.js";
export type { FileSource } from "./weights/source.js";
export type { LoadTorchOptions } from "./weights/torch/load.js";
export { loadTorch } from "./weights/torch/load.js";
