const account = "17841400000000001";

/** What people write: the first is plain, the others have to be escaped. */
const texts = [
  "Hi! Is the blue one still available in M? I would take two of them.",
  "Größe M wäre schön, danke für die schnelle Antwort!",
  "Love it 😍🔥 – when is the next drop?",
  "Сколько стоит доставка в Берлин?",
];

/**
 * A delivery as Meta writes it, with invented values: compact, everything beyond ASCII escaped, `/` as `\/`. Of ten items
 * five are messages, three of these with images, two are comments, and there is a reaction, a read receipt and a
 * postback. With `length` 1, a sentence or an image each, an event takes 0.6 kB on average, with 3 it takes 1 kB.
 */
export function webhookBody(eventCount: number, length = 1): string {
  const entry = Array.from({ length: eventCount }, (_, index) => {
    const time = 1_700_000_000_000 + index * 1_000;
    if (index % 10 < 8) return { time, id: account, messaging: [messagingItem(index, time, length)] };
    return { id: account, time: time / 1_000, changes: [{ value: comment(index, length), field: "comments" }] };
  });
  return asMeta({ object: "instagram", entry });
}

/** A delivery of one message with an id of its own. */
export function messageBody(name: string): string {
  const time = 1_700_000_000_000;
  const message = { mid: `aWdfZAG1faXRlbToxOklHTWVzc2FnZAUlEOjE3ODQx${name}`, text: texts[0] };
  const item = { sender: { id: digits(16, name.length) }, recipient: { id: account }, timestamp: time, message };
  return asMeta({ object: "instagram", entry: [{ time, id: account, messaging: [item] }] });
}

function messagingItem(index: number, timestamp: number, length: number): unknown {
  const item = { sender: { id: digits(16, index) }, recipient: { id: account }, timestamp };
  const mid = `aWdfZAG1faXRlbToxOklHTWVzc2FnZAUlEOjE3ODQxNDAwMDAwMDAwMDAxOjM0MDI4MjM2Njg0MTcxMDMwMTI0${digits(60, index)}`;
  switch (index % 10) {
    case 1:
      return { ...item, reaction: { mid, action: "react", reaction: "love", emoji: "❤" } };
    case 3:
      return { ...item, read: { mid } };
    case 5:
      return { ...item, postback: { mid, title: "Sizes", payload: "SIZES" } };
    case 2:
    case 4:
    case 6:
      return { ...item, message: { mid, attachments: images(index, length) } };
    default:
      return { ...item, message: { mid, text: text(index, length), reply_to: { mid: mid.toLowerCase() } } };
  }
}

function comment(index: number, length: number): unknown {
  return {
    from: { id: digits(16, index), username: `someone_${index}` },
    media: { id: "17900000000000001", media_product_type: "FEED" },
    id: digits(17, index),
    parent_id: "17900000000000002",
    text: text(index, length),
  };
}

function images(index: number, count: number): unknown {
  const signature = "AbQ7x_KdLq9Zr2Tn".repeat(28);
  return Array.from({ length: count }, (_, image) => {
    const url = `https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id=${digits(17, index)}${image}&signature=${signature}`;
    return { type: "image", payload: { url } };
  });
}

function text(index: number, sentences: number): string {
  return Array.from({ length: sentences }, (_, at) => texts[(index + at) % texts.length]).join(" ");
}

function digits(length: number, index: number): string {
  return `1${String(index).padStart(length - 1, "0")}`;
}

function asMeta(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll("/", "\\/")
    .replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
