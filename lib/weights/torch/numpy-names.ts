// The names of NumPy that pickled arrays and numbers come with, of NumPy 1 and 2. Names only.

const makers = /^numpy\.(?:_core|core)\.(?:multiarray|numeric)\.(_reconstruct|_frombuffer|scalar)$/;

/** The last part of a name that makes an array or a number: "_reconstruct", "_frombuffer", "scalar". */
export function arrayMaker(name: string): string | undefined {
  return makers.exec(name)?.[1];
}

/** Whether a global is NumPy's for arrays of numbers, and so nothing opaque. */
export function isNumpyName(name: string): boolean {
  return makers.test(name) || name === "numpy.dtype" || name === "numpy.ndarray";
}
