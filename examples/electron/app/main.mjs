// Electron's main process: opens the window and answers it. The model runs here, off the event loop.

import { fileURLToPath } from "node:url";
import { app, BrowserWindow, ipcMain } from "electron";
import { countSyllables } from "./syllables.mjs";

const path = (name) => fileURLToPath(new URL(name, import.meta.url));

ipcMain.handle("syllables", (_event, text) => countSyllables(text));

await app.whenReady();
const window = new BrowserWindow({ width: 560, height: 320, webPreferences: { preload: path("preload.cjs") } });
await window.loadFile(path("index.html"));
app.on("window-all-closed", () => app.quit());
