// What every error test asks: the class, the code, and a piece of the message.

import { expect } from "vitest";

type ErrorClass = new (message?: string) => Error;

/** Holds an error against its class (exactly, no subclass), its code and a piece of its message; gives it back. */
export function checkCoded(error: unknown, kind: ErrorClass, code: string, piece: string | RegExp = ""): Error {
  if (!(error instanceof Error))
    throw new Error(`expected ${kind.name} ${code}, but nothing of the kind was thrown: ${String(error)}`);
  expect({ kind: error.constructor.name, code: (error as { code?: unknown }).code, message: error.message }).toEqual({
    kind: kind.name,
    code,
    message: typeof piece === "string" ? expect.stringContaining(piece) : expect.stringMatching(piece),
  });
  return error;
}

/** Runs `call`, which must throw at once, and judges what it throws. */
export function expectCoded(call: () => unknown, kind: ErrorClass, code: string, piece?: string | RegExp): Error {
  let thrown: unknown = "nothing was thrown";
  try {
    call();
  } catch (error) {
    thrown = error;
  }
  return checkCoded(thrown, kind, code, piece);
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("expected a rejection, but the promise was fulfilled");
}
