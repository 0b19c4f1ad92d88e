/** A condition that a list can be narrowed down by: a parameter of its route under `/api/ops`. */
export interface ListField {
  name: string;
  label: string;
  /** The values it can have; without them any text is taken. */
  options?: readonly ListOption[];
  placeholder?: string;
  /** Whether the field is behind "More conditions". */
  isRare?: boolean;
}

export interface ListOption {
  value: string;
  label: string;
}

/** Options that are called as they are sent. */
export function optionsOf(values: readonly string[]): ListOption[] {
  return values.map((value) => ({ value, label: value }));
}

/** The options of a parameter that is `true` or `false`: `only test` and `no test`. */
export function flagOptions(name: string): ListOption[] {
  return [
    { value: "true", label: `only ${name}` },
    { value: "false", label: `no ${name}` },
  ];
}
