// All that is attacked.

import { addonTarget } from "./addon.js";
import { modelTarget } from "./models.js";
import { readerTargets } from "./readers.js";
import { stressTarget } from "./stress.js";
import type { Target } from "./target.js";

export const targets: readonly Target[] = [...readerTargets, addonTarget, modelTarget, stressTarget];
