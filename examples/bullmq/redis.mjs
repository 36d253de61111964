// A real Redis for the example, on a free port of the loopback and in memory only. In production the address is given.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";

/** A port that is free now. */
async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  server.close();
  await once(server, "close");
  return port;
}

/** Starts Debian's redis-server; resolves when it answers. */
export async function startRedis() {
  const port = await freePort();
  const options = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
  const server = spawn("redis-server", options, { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise((resolve, reject) => {
    server.once("error", () => reject(new Error("redis-server is not installed (apt-get install redis-server)")));
    server.once("exit", () => reject(new Error("redis-server ended")));
    server.stdout.on("data", (text) => String(text).includes("Ready to accept") && resolve(undefined));
  });
  return {
    port,
    async stop() {
      server.kill();
      await once(server, "exit");
    },
  };
}
