import { fileURLToPath } from 'node:url'
import { build } from 'tsup'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The scenarios as one program, beside what they load: in an emulated machine every file that is read counts. */
export async function bundle(): Promise<string> {
  await build({
    entry: { main: `${root}test/machine/main.ts` },
    outDir: `${root}build/machine`,
    format: ['esm'],
    target: 'node20',
    noExternal: [/./],
    config: false,
    silent: true,
    clean: true,
    dts: false,
  })
  return `${root}build/machine/main.js`
}
