/** A view of all kinds of values; the expected texts beside it come from Go's own text/template over the same values. */
import type { Funcs } from "../../../src/lib/gotemplate/builtins.ts"
import { Float, Nil, stringArg, Struct } from "../../../src/lib/gotemplate/value.ts"

const inner = (a: string, n: number, isPointer = false) =>
  new Struct("main.Inner", { A: a, N: n }, {
    isPointer,
    methods: {
      Hello: (name: unknown) => `hello ${stringArg(name)}`,
      Fail: () => {
        throw new Error("it broke")
      }
    }
  })

export const data = new Struct("main.Data", {
  Name: "latest",
  Empty: "",
  N: 42,
  Zero: 0,
  F: new Float(0.5),
  Yes: true,
  No: false,
  List: ["a", "b", "c"],
  None: new Nil("slice", "[]string"),
  Nums: [3, 1, 2],
  Labels: new Map([["z", "26"], ["a", "1"]]),
  NilMap: new Nil("map", "map[string]string"),
  Inner: inner("in", 7),
  Ptr: inner("ptr", 8, true),
  NilPtr: new Nil("pointer", "*main.Inner"),
  Bytes: new TextEncoder().encode("{}"),
  Items: [inner("x", 1), inner("y", 2)],
  Any: undefined,
  Nested: new Map([["k", ["v", "w"]]]),
  D: new Struct("main.Dig", {}, { text: "sha:abc", string: () => "sha:abc" }),
  Html: "<a href=\"x\">&'é"
}, { methods: { Say: (a: unknown, b: unknown) => `${stringArg(a)}-${stringArg(b)}` } })

export const functions: Funcs = {
  upper: { params: ["string"], call: (text) => String(text).toUpperCase() },
  lower: { params: ["string"], call: (text) => String(text).toLowerCase() },
  split: { params: ["string", "string"], call: (text, separator) => String(text).split(String(separator)) },
  join: {
    params: ["[]string", "string"],
    call: (list, separator) => Array.isArray(list) ? list.join(String(separator)) : ""
  },
  default: { params: ["any", "any"], call: (_, value) => value }
}
