/** The secrets this process has sent to a server: nothing that it shows or logs contains them (faults, secrets). */
import { Context } from "effect"
import { Censor } from "../lib/censor.ts"

export const Secrets = Context.Reference<Censor>("regclient/services/Secrets", { defaultValue: () => new Censor() })
