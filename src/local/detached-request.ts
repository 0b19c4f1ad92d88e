import { IncomingMessage } from "node:http";

/**
 * A request whose body is read from another. Its reader may stop or destroy it without harm to the connection: Node
 * destroys the socket with the request, and a sender that still writes then never reads its answer.
 *
 * Passes on the body until it is longer than `bytesMax` and then ends; what remains stays in the source. With
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
    // A request that breaks off ends too, and is shorter than announced: Next does not pass an error on to an edge route,
    // which would wait for its own limit and hold what it has until then.
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
