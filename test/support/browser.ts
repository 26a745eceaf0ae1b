/** A headless Chromium: the Debian package `chromium`, driven by the npm package `playwright-core`. */
import { createRequire } from "node:module"
import { installed } from "./programs.ts"

/** The parts of playwright that tests use. Expressions are text: they run in the page, not here. */
export interface Page {
  readonly goto: (url: string) => Promise<unknown>
  readonly evaluate: <A>(expression: string) => Promise<A>
  readonly addInitScript: (script: { readonly content: string }) => Promise<unknown>
  readonly fill: (selector: string, text: string) => Promise<void>
  readonly click: (selector: string) => Promise<void>
  readonly on: {
    (event: "console", seen: (it: { readonly text: () => string }) => void): unknown
    (event: "pageerror", seen: (it: Error) => void): unknown
    (event: "dialog", seen: (it: { readonly message: () => string }) => void): unknown
  }
  readonly keyboard: { readonly press: (key: string) => Promise<void> }
  readonly close: () => Promise<void>
}

export interface PageOptions {
  readonly viewport?: { readonly width: number; readonly height: number }
  readonly colorScheme?: "light" | "dark"
}

export interface Browser {
  readonly newPage: (options?: PageOptions) => Promise<Page>
  readonly close: () => Promise<void>
}

interface Playwright {
  readonly chromium: {
    readonly launch: (options: {
      readonly executablePath: string
      readonly args: ReadonlyArray<string>
    }) => Promise<Browser>
  }
}

export const launchBrowser = (): Promise<Browser> => {
  const executablePath = installed("chromium", "chromium")
  const { chromium }: Playwright = createRequire(import.meta.url)("playwright-core")
  // Its sandbox refuses to work for root, as which containers run tests.
  return chromium.launch({ executablePath, args: ["--no-sandbox"] })
}

/** Waits until an expression holds; playwright's own way needs `eval`, which a strict page forbids. */
export const until = (page: Page, expression: string): Promise<unknown> =>
  page.evaluate(
    `new Promise((resolve) => { const look = () => (${expression}) ? resolve(true) : setTimeout(look, 20); look() })`
  )
