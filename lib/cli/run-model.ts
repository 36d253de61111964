// The module of a layer that was found in a model file.

import { GRU, LSTM, RNN, type WeightDType } from "../index.js";
import type { FoundModel } from "./model-file.js";

/** @param weightDtype as the constructors take it */
export function buildModel({ config, stateDict }: FoundModel, weightDtype?: WeightDType): LSTM | GRU | RNN {
  const { module, nonlinearity } = config.kind;
  if (module === "LSTM") return LSTM.fromStateDict(stateDict, { weightDtype });
  if (module === "GRU") return GRU.fromStateDict(stateDict, { weightDtype });
  return RNN.fromStateDict(stateDict, { weightDtype, nonlinearity });
}
