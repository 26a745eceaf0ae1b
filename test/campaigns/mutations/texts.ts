/** Short texts: references, platforms, digests, versions, schedules, patterns, headers, addresses, templates. */
import { Effect, Layer, Result, Stdio } from "effect"
import { classOf, parseAddress } from "../../../src/lib/address.ts"
import { parseChallenges } from "../../../src/lib/challenge.ts"
import { formatGoDuration, goDurationProblem, parseGoDuration } from "../../../src/lib/goDuration.ts"
import { noValue } from "../../../src/lib/gotemplate/value.ts"
import { parseTime, retryAfter } from "../../../src/lib/httpTime.ts"
import { parseLinks } from "../../../src/lib/linkHeader.ts"
import { searching } from "../../../src/lib/pattern.ts"
import { proxyFor } from "../../../src/lib/proxyEnv.ts"
import { compareVersions, parseRanges, parseVersion } from "../../../src/lib/semver.ts"
import { parseTimetable } from "../../../src/lib/timetable.ts"
import { digestProblem, isDigest } from "../../../src/schemas/Digest.ts"
import { isPlatformMatch, parsePlatform, platformText } from "../../../src/schemas/Platform.ts"
import { commonName, isRepository, isSameLocation, parseHost, parseRef } from "../../../src/schemas/Ref.ts"
import { Formatter } from "../../../src/services/Formatter.ts"
import { realmUrl } from "../../../src/services/registryAuth/realm.ts"
import { type Family, held, refused } from "./family.ts"

const hex = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

const said = (problems: ReadonlyArray<string | false>): ReadonlyArray<string> =>
  problems.filter((it): it is string => it !== false)

const text = (
  name: string,
  seeds: ReadonlyArray<string>,
  take: (input: string) => Effect.Effect<ReadonlyArray<string>, unknown>,
  more: Partial<Family> = {}
): Family => ({
  name,
  form: "text",
  weight: 3,
  seeds,
  take: (input) => Effect.suspend(() => take(input.toString())),
  ...more
})

const references = text("reference", [
  "alpine",
  "docker.io/library/alpine:3.20",
  `registry.example.com:5000/team/app_one/web--x:v1.2.3-rc.1@sha256:${hex}`,
  `localhost/a@sha256:${hex}`,
  "[fe80::1]:5000/a/b:c",
  "ocidir:///srv/images/app:v1",
  `ocidir://./relative dir/x@sha256:${hex}`,
  "ocifile://app.tar:latest",
  "Host/app"
], (input) =>
  Effect.map(Effect.fromResult(parseRef(input)), (ref) => {
    const again = parseRef(commonName(ref))
    return said([
      Result.isFailure(again) && `its common name is refused: ${commonName(ref)}`,
      Result.isSuccess(again) && !isSameLocation(again.success.location, ref.location) &&
      "its common name is elsewhere",
      Result.isSuccess(again) && again.success.digest !== ref.digest && "its common name has another digest",
      Result.isSuccess(again) && again.success.tag !== ref.tag && "its common name has another tag",
      ref.location._tag === "Registry" && !isRepository(ref.location.repository) && "its repository is no name"
    ])
  }))

const hosts = text(
  "host",
  ["docker.io", "localhost:5000", "registry.example.com", "[::1]:443", "A", "10.0.0.1:80"],
  (input) => Effect.as(Effect.fromResult(parseHost(input)), held),
  { weight: 1 }
)

const local = { os: "linux", architecture: "amd64" }
const platforms = text(
  "platform",
  ["linux/amd64", "linux/arm/v7", "windows/amd64,osver=10.0.17763.1", "local", "arm64", "macos", "linux/arm64/v8"],
  (input) =>
    Effect.map(Effect.fromResult(parsePlatform(input, local)), (platform) => {
      const again = parsePlatform(platformText(platform), local)
      const isSame = Result.isSuccess(again) &&
        isPlatformMatch({ ...again.success, "os.version": platform["os.version"] ?? "" }, platform)
      return said([platform.architecture !== "" && !isSame && `its text means another: ${platformText(platform)}`])
    })
)

const digests = text(
  "digest",
  [`sha256:${hex}`, `sha384:${hex}${hex.slice(32)}`, `sha512:${hex}${hex}`],
  (input) => {
    const problem = digestProblem(input)
    if (problem === undefined) return Effect.succeed(said([!isDigest(input) && "no problem, and no digest"]))
    return isDigest(input) ? Effect.succeed(["a digest with a problem"]) : refused(problem)
  }
)

const ranges = text(
  "semver range",
  [">=1.2.3 <2", "^1.4", "~v2.0.1-rc.2+build.7", "=3", ">= 1.0.0", "<=10.20.30-a1b2"],
  (input) => {
    const found = parseRanges([input])
    if (found === undefined) return Effect.succeed(held)
    if ("problem" in found) return refused(found.problem)
    found.test("v1.2.3-rc.1")
    const own = parseVersion(input.replace(/^[<>=^~]+/, ""))
    return Effect.succeed(
      said([own !== undefined && compareVersions(own, own) !== 0 && "a version differs from itself"])
    )
  }
)

const schedules = text("schedule", [
  "30 4 * * 1-5",
  "*/15 0-6,20-23 1 jan,jul sun",
  "@daily",
  "@every 1h30m",
  "TZ=Europe/Berlin 5 2 29 2 *",
  "CRON_TZ=America/New_York @hourly",
  "0 0 31 2 ?"
], (input) => {
  const found = parseTimetable(input, "UTC")
  if ("problem" in found) return refused(found.problem)
  const [first, now] = [found.timetable.next(1_700_000_000_000), 1_700_000_000_000]
  return Effect.succeed(said([
    first !== undefined && !(first > now) && `its next time is not later: ${first}`,
    first !== undefined && !Number.isFinite(first) && "its next time is no number"
  ]))
})

const durations = text(
  "duration",
  ["1h30m0s", "1.5h", "250ms", "-3m", "1us", "10µs", "0", "2562047h47m16.854775807s"],
  (input) => {
    const value = parseGoDuration(input)
    if (value === undefined) return refused(goDurationProblem(input))
    const again = parseGoDuration(formatGoDuration(value))
    // Nanoseconds beyond 2^53 have no number of their own.
    const isSame = again !== undefined && Math.abs(again - value) <= Math.max(1e-6, Math.abs(value) * 1e-12)
    return Effect.succeed(said([
      !Number.isFinite(value) && "it is no number",
      !isSame && Math.abs(value) * 1e6 < 2 ** 63 && `it reads otherwise once written: ${formatGoDuration(value)}`
    ]))
  }
)

const patterns = text(
  "pattern",
  ["v[0-9]+\\.[0-9]+(-rc\\d)?", "^(a|b)*$", "(?i)latest|edge", "[^/]{1,20}", "\\pL+", "(x+x+)+y", "a{2,5}b?"],
  (input) => {
    const found = searching(input)
    if ("problem" in found) return refused(found.problem)
    found.matches("a".repeat(300))
    found.matches("v1.2.3-rc1")
    return Effect.succeed(held)
  }
)

const headers = text("header", [
  "</v2/a/tags/list?n=2&last=b>; rel=\"next\"",
  "<https://r.example/v2/_catalog?last=x>;rel=next; title=\"a \\\" b\", <x>; rel=\"prev last\"",
  "Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\",scope=\"repository:library/alpine:pull\"",
  "Basic realm=\"x\", Bearer realm=/token,error=\"invalid_token\", Negotiate abc==",
  "Wed, 21 Oct 2026 07:28:00 GMT",
  "120",
  "2026-01-02T03:04:05.678Z"
], (input) => {
  parseLinks([input, input])
  const wait = retryAfter(input, 1_700_000_000_000)
  const time = parseTime(input)
  const problems = said([
    wait !== undefined && !(wait >= 0 && Number.isFinite(wait)) && `it waits ${wait}`,
    time !== undefined && !Number.isFinite(time) && "its time is no number"
  ])
  const challenges = parseChallenges([input])
  if (Result.isFailure(challenges)) return refused(challenges.failure)
  for (const { parameters } of challenges.success) {
    const realm = realmUrl(parameters["realm"] ?? input, new URL("https://r.example/v2/"), ["https://t.example"])
    if (Result.isSuccess(realm) && realm.success.protocol !== "https:")
      return Effect.succeed(["a realm without encryption"])
    if (Result.isFailure(realm)) return refused(realm.failure)
  }
  return Effect.succeed(problems)
})

const addresses = text("address", [
  "127.0.0.1",
  "0x7f.1",
  "017700000001",
  "2130706433",
  "::ffff:10.0.0.1",
  "fd00:ec2::254",
  "169.254.169.254",
  "1.2.3"
], (input) => {
  const bytes = parseAddress(input)
  if (bytes === undefined) return Effect.succeed(said([classOf(input) !== undefined && "a class without address"]))
  return Effect.succeed(said([bytes.length !== 4 && bytes.length !== 16 && `${bytes.length} bytes`]))
}, { weight: 1 })

const proxies = text("proxy", [
  "http://user:p%40ss@proxy.example:3128",
  "proxy.example:8080",
  "https://[::1]:8443/",
  "localhost,.example.com,10.0.0.0/8,*.internal:8080,[::1]:5000",
  "*"
], (input) => {
  for (const address of ["https://r.example/v2/", "http://10.1.2.3:5000/", "https://[2001:db8::1]/"]) {
    const url = new URL(address)
    const found = proxyFor({ httpProxy: input, httpsProxy: input, noProxy: input }, url)
    proxyFor({ httpsProxy: "http://p:1", httpProxy: "http://p:1", noProxy: input }, url)
    if (typeof found !== "object") continue
    if (!(found.port > 0 && found.port < 65_536 || found.port === 0)) return Effect.succeed([`port ${found.port}`])
    // oxlint-disable-next-line no-control-regex -- what must not be in a header
    if (/[\u0000-\u001f]/.test(found.authorization ?? "")) return Effect.succeed(["a control character in a header"])
  }
  return Effect.succeed(held)
}, { weight: 1 })

const formatter = Layer.build(Layer.fresh(Formatter.layer).pipe(Layer.provide(Stdio.layerTest({}))))

const templates = text(
  "template",
  [
    "{{.Name}}",
    "{{range $k, $v := .}}{{printf \"%s: %-10d|%q\\n\" $k 12 $v}}{{else}}none{{end}}",
    "{{ if and (eq 1 1) (ne \"a\" \"b\") (lt 1 2.5) }}{{ upper \"x\" | printf \"%5.2f\" }}{{end}}",
    "{{ join (split \"a,b,c\" \",\") \"-\" }} {{ json . }} {{ jsonPretty . }} {{printPretty .}}",
    "{{define \"t\"}}{{template \"t\" .}}{{end}}{{template \"t\" .}}",
    "{{with $x := index . 0}}{{slice $x 1 2}}{{len $x}}{{html \"<a>\"}}{{js \"'\"}}{{urlquery \"a b\"}}{{end}}",
    "a {{- /* c */ -}} b {{`raw`}} {{'x'}} {{0x1F}} {{1e3}} {{1i}} {{nil}} {{break}}",
    "{{ env \"HOME\" | default \"x\" }}{{ (time.Now.UTC).Format \"2006\" }}"
  ],
  (input) =>
    Effect.gen(function*() {
      const { expand } = yield* Formatter
      const expanded = yield* expand(input, noValue)
      return said([expanded.length > 1024 * 1024 && "more than 1 MiB"])
    }).pipe(Effect.provide(Layer.effectContext(formatter))),
  { weight: 6, patience: 3_000 }
)

export const texts: ReadonlyArray<Family> = [
  references,
  hosts,
  platforms,
  digests,
  ranges,
  schedules,
  durations,
  patterns,
  headers,
  addresses,
  proxies,
  templates
]
