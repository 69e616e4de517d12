import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const buildFolder = fileURLToPath(new URL('../build/Release/', import.meta.url))

/** Every object of BPF programs that is built, so that none escapes what all are held to. */
export const objects: readonly string[] = readdirSync(buildFolder).filter((name) => name.endsWith('.bpf.o'))
