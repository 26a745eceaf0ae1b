/**
 * A registry may answer and close while a body is still being sent (quirks 1.10). A write that fails would end the
 * socket at once and lose the answer that already lies in it, so its error waits a moment. Touches the platform:
 * sockets.
 */
import type { Socket } from "node:net"

const patience = 1000

type Done = (error?: Error | null) => void

const held = (done: Done): Done => (error) => {
  if (error === undefined || error === null) done()
  else setTimeout(() => done(error), patience)
}

/** From now on errors of writing come a second later; what can be read meanwhile is. */
export const holdWriteErrors = (socket: Socket): void => {
  const write = socket._write.bind(socket)
  const writeMany = socket._writev?.bind(socket)
  socket._write = (chunk, encoding, done) => write(chunk, encoding, held(done))
  if (writeMany !== undefined) socket._writev = (chunks, done) => writeMany(chunks, held(done))
}
