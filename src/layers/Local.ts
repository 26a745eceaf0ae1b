/** What commands stand on that touch nothing but their streams. */
import { Layer } from "effect"
import { BuildInfo } from "../services/BuildInfo.ts"
import { Formatter } from "../services/Formatter.ts"
import { streams } from "./Streams.ts"

export const local = Formatter.layer.pipe(Layer.provideMerge(Layer.mergeAll(BuildInfo.layer, streams)))
