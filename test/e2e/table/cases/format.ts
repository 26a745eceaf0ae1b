/** `--format`: every method and field of the page's data (§6), the functions (§5.2), and how values print (§5.3). */
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../../../support/programs.ts"
import { type Case, d, types } from "../case.ts"

/** What the Go tool printed, line by line. */
const formats: Readonly<Record<string, ReadonlyArray<string>>> = JSON.parse(
  readFileSync(join(root, "test/fixtures/formats.json"), "utf8")
)
const golden = (name: string): string => (formats[name] ?? []).join("\n")

const sha256 = (content: string) => createHash("sha256").update(content).digest("hex")

/** Files of the layout `lay`: each document under its tag. */
const layout = (
  tagged: Readonly<Record<string, readonly [type: string, document: string]>>,
  ...blobs: ReadonlyArray<string>
) => {
  const entries = Object.entries(tagged).map(([tag, [mediaType, document]]) =>
    `{"mediaType":"${mediaType}","digest":"sha256:${sha256(document)}","size":${document.length},` +
    `"annotations":{"org.opencontainers.image.ref.name":"${tag}"}}`
  )
  const contents = [...Object.values(tagged).map(([, document]) => document), ...blobs]
  return {
    "lay/oci-layout": `{"imageLayoutVersion":"1.0.0"}`,
    "lay/index.json": `{"schemaVersion":2,"manifests":[${entries.join()}]}`,
    ...Object.fromEntries(contents.map((it) => [`lay/blobs/sha256/${sha256(it)}`, it]))
  }
}

const config = JSON.stringify({
  created: "2024-01-02T03:04:05.678Z",
  author: "Ada <ada@example.org>",
  architecture: "arm",
  variant: "v7",
  os: "windows",
  "os.version": "10.0.17763.1",
  "os.features": ["win32k"],
  config: {
    User: "ada:users",
    ExposedPorts: { "9090/udp": {}, "8080/tcp": {} },
    Env: ["A=1", "B=2"],
    Entrypoint: ["/run"],
    Cmd: ["a", "b"],
    Volumes: { "/data": {} },
    WorkingDir: "/srv",
    Labels: { z: "26", a: "1" },
    StopSignal: "SIGTERM",
    StopTimeout: 30,
    ArgsEscaped: true,
    Healthcheck: { Test: ["CMD", "true"], Interval: 30000000000, Timeout: 1000000000, StartPeriod: 5, Retries: 3 },
    OnBuild: ["RUN x"],
    Shell: ["/bin/bash", "-c"]
  },
  rootfs: { type: "layers", diff_ids: [`sha256:${sha256("layer")}`] },
  history: [
    { created: "2024-01-01T00:00:00Z", created_by: "ADD x", author: "Bob", comment: "first", empty_layer: true },
    { created_by: "COPY y" }
  ]
})
const rich = {
  mediaType: "application/vnd.oci.image.layer.v1.tar",
  digest: `sha256:${sha256("layer")}`,
  size: 5,
  urls: ["https://a.example.org/x", "https://b.example.org/y"],
  annotations: { k: "v", a: "b" },
  data: Buffer.from("layer").toString("base64"),
  platform: {
    architecture: "arm",
    os: "windows",
    "os.version": "10.0.1",
    "os.features": ["win32k"],
    variant: "v7",
    features: ["x"]
  },
  artifactType: "application/vnd.example.part"
}
const image = JSON.stringify({
  schemaVersion: 2,
  mediaType: types.manifest,
  artifactType: "application/vnd.example",
  config: { mediaType: types.config, digest: `sha256:${sha256(config)}`, size: config.length },
  layers: [rich, { ...rich, urls: undefined, platform: undefined, data: undefined, size: 70000 }],
  subject: { mediaType: types.index, digest: d.v1, size: 534 },
  annotations: { b: "2", a: "1" }
})
const index = JSON.stringify({
  schemaVersion: 2,
  mediaType: types.index,
  artifactType: "application/vnd.example.list",
  manifests: [{
    ...rich,
    mediaType: types.manifest,
    digest: `sha256:${sha256(image)}`,
    size: image.length,
    data: undefined
  }],
  subject: { mediaType: types.index, digest: d.v1, size: 534 },
  annotations: { b: "2" }
})
const files = layout({ image: [types.manifest, image], index: [types.index, index] }, config, "layer")

/** One line for each expression; they are separated by semicolons. */
const lines = (expressions: string) =>
  expressions.split("; ").map((it) => `{{println "${it.replaceAll(/["\\]/g, "")}:" (${it})}}`).join("")

let count = 0
const rows = (
  command: string,
  args: string,
  expressions: string,
  out: string | RegExp,
  more: Partial<Case> = {}
): Case => ({
  command,
  args: `${args} --format '${lines(expressions)}'`,
  note: `fields ${count++}`,
  against: "ocidir",
  out,
  ...more
})

const timeMethods = `.Created.UTC; .Created.Unix; .Created.UnixNano; .Created.Year; .Created.Month; .Created.Day; ` +
  `.Created.Hour; .Created.Minute; .Created.Second; .Created.IsZero; .Created.String; ` +
  `.Created.Format "Mon, 02 Jan 2006 15:04:05.000 -0700 MST"; .Created.Before (time.Parse "2006" "2025"); ` +
  `.Created.After (time.Parse "2006" "2025"); .Created.Equal .Created; ` +
  `.Created.Sub (time.Parse "2006-01-02" "2024-01-01"); ` +
  `.Created.Add (.Created.Sub (time.Parse "2006-01-02" "2024-01-01"))`

export const format: ReadonlyArray<Case> = [
  rows(
    "image inspect",
    "image inspect ocidir://lay:image",
    `.Created; .Author; .Architecture; .OS; .OSVersion; .OSFeatures; .Variant; .Config.User; ` +
      `.Config.ExposedPorts; .Config.Env; .Config.Entrypoint; .Config.Cmd; .Config.Volumes; ` +
      `.Config.WorkingDir; .Config.Labels; .Config.Labels.z; .Config.Labels.none; index .Config.Labels "none"; ` +
      `.Config.StopSignal; .Config.StopTimeout; .Config.ArgsEscaped; .Config.OnBuild; .Config.Shell; ` +
      `.Config.Healthcheck.Test; .Config.Healthcheck.Retries; .Config.Healthcheck.Interval; .RootFS.Type; ` +
      `.RootFS.DiffIDs; (index .History 0).Created; (index .History 0).CreatedBy; (index .History 0).Author; ` +
      `(index .History 0).Comment; (index .History 0).EmptyLayer; (index .History 1).Created; .GetConfig.OS; ` +
      `.GetDescriptor.Digest; len .RawBody; len .RawHeaders`,
    golden("configuration"),
    { files, differs: "a value behind a pointer is the address of it to a function" }
  ),
  rows("image inspect", "image inspect ocidir://lay:image", timeMethods, golden("times"), { files }),
  rows(
    "manifest get",
    "manifest get ocidir://lay:image",
    `.GetDescriptor.MediaType; .GetDescriptor.Size; .GetMediaType; .GetDigest; .GetRef; .GetRef.CommonName; ` +
      `.IsList; .IsSet; len .RawBody; len .RawHeaders; printf "%.30s" .MarshalJSON; .HasRateLimit; ` +
      `.GetRateLimit; .GetConfig.MediaType; .GetConfigDigest; len .GetLayers; .GetSize; .GetAnnotations; ` +
      `.GetSubject.Digest; .SchemaVersion; .MediaType; .ArtifactType; .Config.Digest; .Subject.Size; ` +
      `.Annotations; .GetOrig.SchemaVersion; index .Layers 0; index .Layers 1; (index .Layers 0).URLs; ` +
      `(index .Layers 0).Annotations; (index .Layers 0).Data; printf "%s" (index .Layers 0).Data; ` +
      `(index .Layers 0).ArtifactType; (index .Layers 0).Platform; (index .Layers 0).Platform.Architecture; ` +
      `(index .Layers 0).Platform.OS; (index .Layers 0).Platform.OSVersion; ` +
      `(index .Layers 0).Platform.OSFeatures; (index .Layers 0).Platform.Variant; ` +
      `(index .Layers 0).Platform.Features; (index .Layers 0).Platform.String; (index .Layers 1).Platform; ` +
      `(index .Layers 1).URLs`,
    golden("image"),
    { files }
  ),
  rows(
    "manifest get",
    "manifest get ocidir://lay:index",
    `.IsList; len .GetManifestList; (index .GetManifestList 0).Size; .GetPlatformList; .SchemaVersion; ` +
      `.MediaType; .ArtifactType; (index .Manifests 0).Platform; .Subject.Digest; .GetSubject.MediaType; ` +
      `.Annotations.b; .GetAnnotations`,
    golden("index"),
    { files }
  ),
  {
    command: "manifest get",
    args: "manifest get ocidir://lay:index",
    against: "ocidir",
    files,
    out: golden("index, pretty"),
    differs: "the order of annotations varies"
  },
  {
    command: "manifest get",
    args: "manifest get ocidir://lay:image",
    against: "ocidir",
    files,
    out: golden("image, pretty"),
    differs: "the order of annotations varies"
  },
  {
    command: "manifest get",
    args: "manifest get ocidir://lay:image --format '{{jsonPretty .}}'",
    against: "ocidir",
    files,
    out: golden("image as JSON")
  },
  {
    command: "manifest get",
    args:
      "manifest get ocidir://lay:image --format '{{json .GetConfig}}{{json .GetSubject}}{{jsonPretty (index .Layers 0)}}'",
    against: "ocidir",
    files,
    out: golden("descriptors as JSON")
  },
  {
    command: "image inspect",
    args: "image inspect ocidir://lay:image",
    against: "ocidir",
    files,
    out: golden("configuration, pretty")
  },
  {
    command: "image inspect",
    args:
      "image inspect ocidir://lay:image --format '{{json .Config}}{{json .RootFS}}{{json .History}}{{json .Created}}'",
    against: "ocidir",
    files,
    out: golden("configuration as JSON")
  },
  {
    command: "manifest head",
    args:
      "manifest head ocidir://lay:image --format '{{.MediaType}}|{{.GetMediaType}}|{{json .}}|{{.IsSet}} {{.RawBody}}'",
    against: "ocidir",
    files,
    out: `|${types.manifest}||false `,
    err: "template: out:1:57: executing \"out\" at <.RawBody>: error calling RawBody: manifest not set\n"
  },
  rows(
    "manifest head",
    "manifest head $OWN/app:v1",
    `.HasRateLimit; .GetRateLimit.Remain; .GetRateLimit.Limit; .GetRateLimit.Reset; .GetRateLimit.Set; ` +
      `.GetRateLimit.Policies; index .RawHeaders "Content-Length"`,
    golden("rate limit"),
    { against: "spy" }
  ),
  rows(
    "ref",
    `ref localhost:5000/a/b:c@${d.v1}`,
    `.; .Scheme; .Reference; .Registry; .Repository; .Tag; .Digest; .Path; .CommonName; .IsSet; .IsSetRepo; ` +
      `.IsZero; (.SetTag "x").CommonName; (.SetDigest "${d.v2}").CommonName; ` +
      `(.AddDigest "${d.v2}").CommonName; .ToReg.CommonName; json .`,
    golden("reference"),
    { against: "local" }
  ),
  rows(
    "ref",
    "ref ocidir://../a/B_c:d",
    `.; .Scheme; .Path; .Tag; .Repository; .ToReg.CommonName; jsonPretty .`,
    golden("layout reference"),
    {
      against: "local"
    }
  ),
  rows(
    "image copy",
    "image copy $R/artifact:one ocidir://two:image",
    `.Scheme; .Path; .Tag; .CommonName`,
    golden("target of a copy")
  ),
  rows(
    "digest",
    "digest",
    `.; .String; .Algorithm; .Algorithm.String; .Algorithm.Available; .Encoded; .Hex; .Validate; json .; ` +
      `printPretty .`,
    golden("digest"),
    { against: "local", stdin: "hello\n" }
  ),
  rows(
    "artifact list",
    "artifact list $R/signed:v1 --filter-artifact-type application/spdx+json",
    `.Subject.CommonName; .Source; .Source.IsZero; len .Descriptors; (index .Descriptors 0).Annotations; ` +
      `.Annotations; .Manifest.GetMediaType; len .Manifest.GetManifestList; .Tags; .IsEmpty`,
    golden("referrers")
  ),
  {
    command: "artifact list",
    args:
      "artifact list ocidir://lay:index --format '{{.IsEmpty}} {{.Manifest.GetMediaType}} {{len .Descriptors}}{{jsonPretty .}}'",
    against: "ocidir",
    files,
    out: golden("no referrers")
  },
  rows(
    "artifact tree",
    "artifact tree --filter-annotation org.example.signer=dan $R/signed:v1",
    `.Ref.Tag; .Manifest.GetDigest; .Platform; .ArtifactType; len .Child; (index .Child 0).Platform; ` +
      `(index .Child 0).Ref.Digest; (index (index .Child 0).Referrer 0).ArtifactType; ` +
      `(index (index .Child 0).Referrer 0).Manifest.GetSize; len .Referrer; .ReferrerSrc`,
    golden("tree")
  ),
  {
    command: "artifact tree",
    args: "artifact tree --filter-annotation org.example.signer=dan $R/signed:v1 --format '{{jsonPretty .}}'",
    against: "serve",
    out: golden("tree as JSON")
  },
  rows(
    "blob get",
    `blob get $R/artifact ${d.hello}`,
    `.GetDescriptor.Digest; .GetDescriptor.Size; .GetDescriptor.MediaType; printf "%s" .RawBody; ` +
      `len .RawHeaders; .Digest; .Length; .MediaType`,
    golden("blob")
  ),
  rows(
    "blob head",
    `blob head $R/artifact ${d.hello}`,
    `.GetDescriptor.Size; .Digest; .Length; .MediaType`,
    golden("head of a blob")
  ),
  rows(
    "blob put",
    "blob put $OWN/new",
    `.; .Digest; .Digest.Algorithm; .Size; json .`,
    golden("pushed blob"),
    { stdin: "hello\n" }
  ),
  rows(
    "blob get-file",
    `blob get-file $R/app ${d.appLayer} app/main`,
    `.Header.Name; .Header.Linkname; .Header.Size; .Header.Mode; .Header.Uid; .Header.Gid; .Header.Uname; ` +
      `.Header.Gname; .Header.ModTime; .Header.AccessTime; .Header.ChangeTime; .Header.Typeflag; ` +
      `.Header.Devmajor; .Header.Devminor; .Header.PAXRecords; .Header.Xattrs; .Header.Format; json .Header`,
    golden("file of a layer")
  ),
  rows("tag ls", "tag ls $R/app", `.Name; .Tags; .GetTags; json .Tags; .GetURL`, golden("tags"), {
    against: "serve"
  }),
  rows(
    "tag ls",
    "tag ls $R/base",
    `.Name; .Tags; .GetTags; .Index.SchemaVersion; len .Index.Manifests; .Index.MediaType`,
    golden("tags of a layout")
  ),
  {
    command: "tag ls",
    args: "tag ls $R/app --format '{{jsonPretty .}}'",
    against: "serve",
    out: golden("tags as JSON")
  },
  rows(
    "tag ls",
    "tag ls $OWN/gcr",
    `.Name; .Tags; .Children`,
    golden("tags of a Google registry"),
    { against: "spy" }
  ),
  {
    command: "tag ls",
    args:
      "tag ls $OWN/gcr --format '{{range $k, $v := .Manifests}}{{$k}} {{$v.Size}} {{$v.MediaType}} {{$v.Created.UTC}} {{$v.Uploaded.UTC}} {{$v.Tags}}{{end}}'",
    against: "spy",
    out:
      "sha256:1ccb399e44f3e0ec86bb1a95031c6b9f81ac77860556a81a90acb79bab8005d9 1234 application/vnd.oci.image.manifest.v1+json 2024-01-02 03:04:05 +0000 UTC 2024-01-02 04:04:05 +0000 UTC [v1]"
  },
  rows(
    "repo ls",
    "repo ls $HOST --limit 2",
    `.Repositories; .GetRepos; printf "%s" .RawBody; json .`,
    golden("repositories"),
    { against: "serve" }
  ),
  rows(
    "registry config",
    "registry config registry.example.org",
    `.Name; .TLS; .RegCert; .ClientCert; .ClientKey; .Hostname; .User; .Pass; .Token; .CredHelper; ` +
      `.CredExpire; .CredHost; .PathPrefix; .Mirrors; .Priority; .RepoAuth; .API; .APIOpts; .BlobChunk; ` +
      `.BlobMax; .ReqPerSec; .ReqConcurrent; .Scheme`,
    golden("host"),
    {
      against: "local",
      config: {
        hosts: {
          "registry.example.org": {
            tls: "disabled",
            regcert: "pem",
            clientCert: "pem",
            clientKey: "secret",
            hostname: "other.example.org",
            user: "ada",
            pass: "secret",
            credHost: "c.example.org",
            pathPrefix: "team",
            mirrors: ["m.example.org"],
            priority: 3,
            repoAuth: true,
            apiOpts: { disableHead: "true" },
            blobChunk: 1000,
            blobMax: -1,
            reqPerSec: 0.5,
            reqConcurrent: 7
          }
        }
      }
    }
  ),
  rows(
    "config get",
    "config get",
    `.Filename; .Version; len .Hosts; (index .Hosts "a.example.org").TLS; .HostDefault; .BlobLimit; ` +
      `.IncDockerCert; .IncDockerCred`,
    golden("configuration file"),
    {
      against: "local",
      config: { version: 1, hosts: { "a.example.org": { tls: "insecure" } }, blobLimit: 4096, incDockerCert: false },
      differs: "a value behind a pointer is the address of it to a function"
    }
  ),
  rows(
    "version",
    "version",
    `.GoVer; .GoCompiler; .Platform; .VCSCommit; .VCSDate; .VCSRef; .VCSState; .VCSTag`,
    /^(\.\w+: .*\n){8}$/,
    {
      against: "local"
    }
  ),
  rows(
    "manifest put",
    "manifest put $OWN/artifact:copy",
    `.Manifest.GetDigest; .Manifest.IsSet; .Manifest.GetRef.Tag`,
    golden("pushed manifest"),
    {
      own: "artifact",
      stdin: image.replace(/"subject".*?},/, "")
    }
  ),

  // §5.2 and §5.3
  rows(
    "ref",
    "ref alpine:3",
    `default "x" ""; default "x" .Tag; env "NAME"; env "NONE"; file "in.txt"; file "none"; ` +
      `join (split "a,b" ",") "+"; lower "AbC"; upper "AbC"; trimSpace " a "; json (split "<a>&,b" ","); ` +
      `jsonPretty (split "a,b" ","); printf "%5d|%-5s|%05.1f|%q|%x|%t|%v" 42 "a" 1.25 "q" "hex" true 1e6; ` +
      `html "<a>"; js "it"; urlquery "a b"; slice "abcdef" 1 3; eq 1 2 1; and 1 0; or "" "x"; not true; ` +
      `len "abc"; (time.Parse "2006-01-02" "2026-01-02").Unix; 1e6; 0.5`,
    golden("functions"),
    {
      against: "local",
      files: { "in.txt": " text \n" },
      env: { NAME: "value" },
      err: new RegExp(
        `level=WARN msg="template: environment variable \\\\"NONE\\\\" is not set"\n.*level=WARN ` +
          `msg="template: file \\\\"none\\\\" cannot be read"\n$`
      ),
      code: 0,
      differs: "it does not say what is missing"
    }
  ),
  {
    command: "ref",
    args:
      "ref a:1 --format '{{- /* nothing */ -}} {{define \"t\"}}<{{.}}>{{end}}{{template \"t\" .Tag}}{{with $x := .Registry}}{{$x}}{{else}}none{{end}}{{range $i, $e := split \"a,b,c\" \",\"}}{{if eq $i 2}}{{break}}{{end}}{{$i}}{{$e}}{{end}}{{range 3}}{{.}}{{end}}{{block \"b\" 7}}[{{.}}]{{end}}'",
    against: "local",
    out: "<1>docker.io0a1b012[7]"
  },
  ...[
    ["{{", "template: out:1: unclosed action"],
    ["{{foo}}", "template: out:1: function \"foo\" not defined"],
    ["{{if}}{{end}}", "template: out:1: missing value for if"],
    ["{{end}}", "template: out:1: unexpected {{end}}"],
    ["{{$x}}", "template: out:1: undefined variable \"$x\""],
    ["{{.Foo}}", "template: out:1:2: executing \"out\" at <.Foo>: can't evaluate field Foo in type ref.Ref"],
    ["{{range .Tag}}{{end}}", "template: out:1:8: executing \"out\" at <.Tag>: range can't iterate over latest"],
    ["{{.SetTag}}", "template: out:1:2: executing \"out\" at <.SetTag>: wrong number of args for SetTag: want 1 got 0"],
    ["{{nil}}", "template: out:1:2: executing \"out\" at <nil>: nil is not a command"],
    [
      "{{time.Parse \"2006\" \"x\"}}",
      "template: out:1:6: executing \"out\" at <time.Parse>: error calling Parse: parsing time \"x\" as \"2006\": cannot parse \"x\" as \"2006\""
    ]
  ].map(([text = "", err = ""]): Case => ({
    command: "ref",
    args: `ref a --format '${text}'`,
    against: "local",
    err: `${err}\n`
  }))
]
