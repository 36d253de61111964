// The process that runs cases, and may crash or hang in one. It says which it begins before it does.

import { isMainThread, workerData } from "node:worker_threads";
import { generator } from "../support/mutate.js";
import { workerBurst } from "./stress.js";
import { caseSeed, type Order, type Report } from "./target.js";
import { targets } from "./targets.js";

async function runCases({ target: name, seed, first, last, milliseconds, place }: Order): Promise<void> {
  const target = targets.find((each) => each.name === name);
  if (target === undefined) throw new Error(`no target ${name}`);
  const attack = await target.open(place);
  const tell = (report: Report): Promise<void> =>
    new Promise((resolve) => {
      process.send?.(report, () => resolve());
    });
  const until = performance.now() + milliseconds;
  for (let number = first; number <= last && performance.now() < until; number++) {
    await tell({ began: number });
    try {
      const outcome = await attack.run(generator(caseSeed(seed, name, number)));
      await tell({ over: number, outcome });
    } catch (error) {
      await tell({ over: number, found: (error as Error).stack ?? String(error) });
    }
  }
}

if (isMainThread) {
  await runCases(JSON.parse(process.argv[2] as string) as Order);
  process.disconnect?.();
} else {
  await workerBurst((workerData as { burst: number }).burst);
}
