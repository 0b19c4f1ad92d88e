import { IncomingMessage } from "node:http";

/**
 * A copy of a request that reads its body from the original. The reader may stop or destroy the copy while the connection
 * stays open: Node destroys the socket together with a request, and a client that is still sending then loses the answer.
 *
 * The copy ends with the body, or once more than `bytesMax` bytes have been read; the rest stays in the original. With
 * `bytesMax: 0` nothing is read.
 */
export function detachRequest(source: IncomingMessage, bytesMax = Infinity): IncomingMessage {
  return new DetachedRequest(source, bytesMax);
}

class DetachedRequest extends IncomingMessage {
  readonly #source: IncomingMessage;

  constructor(source: IncomingMessage, bytesMax: number) {
    super(source.socket);
    this.#source = source;
    const { method, url, headers, rawHeaders, httpVersion, httpVersionMajor, httpVersionMinor } = source;
    Object.assign(this, { method, url, rawHeaders, httpVersion, httpVersionMajor, httpVersionMinor });
    this.headers = { ...headers };

    const end = () => {
      source.off("data", pass).off("end", end).off("close", end);
      this.complete = true;
      this.push(null);
    };
    let bytes = 0;
    const pass = (chunk: Buffer) => {
      bytes += chunk.length;
      if (!this.push(chunk)) source.pause();
      if (bytes > bytesMax) end();
    };
    // A request that breaks off also just ends, shorter than announced. Next does not pass an error on to an edge route,
    // which would wait for its own time limit and hold the received bytes until then.
    if (bytesMax > 0) source.on("data", pass).on("end", end).on("close", end);
    else end();
  }

  override _read(): void {
    if (!this.complete) this.#source.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    done(error);
  }
}
