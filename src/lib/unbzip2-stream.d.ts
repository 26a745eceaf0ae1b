/** What the package `unbzip2-stream`, which has no types, gives. */
declare module "unbzip2-stream" {
  const unbzip2: () => NodeJS.ReadWriteStream
  export default unbzip2
}
