// All that the sandboxed page may ask of the main process.
const { contextBridge, ipcRenderer } = require("electron");

contextBridge.exposeInMainWorld("syllables", { count: (text) => ipcRenderer.invoke("syllables", text) });
