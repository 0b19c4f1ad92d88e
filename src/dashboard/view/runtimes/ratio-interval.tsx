import styles from "./ratio-interval.module.css";

/** Props of `RatioInterval`. */
export interface RatioIntervalProps {
  /** Node ÷ edge. */
  ratio: number;
  interval: [low: number, high: number];
}

/** The ratio and its interval on a logarithmic axis with "the same" in the middle. The verdict's sentence says the same. */
export function RatioInterval({ ratio, interval: [low, high] }: RatioIntervalProps) {
  const reach = Math.max(...[ratio, low, high].map((value) => Math.abs(Math.log2(value))));
  // At least from half to double, so that a small difference looks small.
  const octaves = Math.min(4, Math.max(1, Math.ceil(reach)));
  const left = (value: number) => 50 + (50 * Math.max(-octaves, Math.min(octaves, Math.log2(value)))) / octaves;
  const times = 2 ** octaves;
  return (
    <div className={styles["interval"]} aria-hidden>
      <svg viewBox="0 0 100 24" preserveAspectRatio="none">
        <rect className={styles["node"]} x="0" y="0" width="50" height="24" />
        <rect className={styles["edge"]} x="50" y="0" width="50" height="24" />
        <line className={styles["same"]} x1="50" x2="50" y1="0" y2="24" />
        <line className={styles["range"]} x1={left(low)} x2={left(high)} y1="12" y2="12" />
        {[low, high].map((end) => (
          <line key={end} className={styles["range"]} x1={left(end)} x2={left(end)} y1="7" y2="17" />
        ))}
      </svg>
      <span className={styles["point"]} style={{ left: `${left(ratio)}%` }} />
      <p className={styles["labels"]}>
        <span>Node {times} × faster</span>
        <span>the same</span>
        <span>edge {times} × faster</span>
      </p>
    </div>
  );
}
