import type { DescribedCommand } from "./described-command.ts";

/** For bash 3.2 and newer, without the package bash-completion. All words are of our own definitions: they need no quoting. */
export function bashCompletion(commands: readonly DescribedCommand[]): string {
  const values = commands.flatMap(({ name, options }) =>
    options
      .filter(({ takesValue }) => takesValue)
      .map(
        (option) =>
          `    ${option.names.map((one) => `${name}:${one}`).join("|")}) echo "${option.values.join(" ")}" ;;`,
      ),
  );
  const words = commands.map(
    ({ name, words: first, options }) =>
      `    ${name}) echo "${[...first, ...options.flatMap(({ names }) => names)].join(" ")}" ;;`,
  );
  return `# Completion of relay for bash: eval "$(npx relay completion bash)"
__relay_values() {
  case "$1" in
${values.join("\n")}
    *) return 1 ;;
  esac
}
__relay_words() {
  case "$1" in
${words.join("\n")}
    *) echo "${commands.map(({ name }) => name).join(" ")} --help" ;;
  esac
}
# $1: the position of the word after relay
__relay_complete() {
  local word="\${COMP_WORDS[COMP_CWORD]}" found=""
  local command="\${COMP_WORDS[$1]}"
  COMPREPLY=()
  if [ "$COMP_CWORD" -le "$1" ]; then
    found="$(__relay_words "")"
  elif ! found="$(__relay_values "$command:\${COMP_WORDS[COMP_CWORD-1]}")"; then
    found="$(__relay_words "$command")"
  fi
  COMPREPLY=($(compgen -W "$found" -- "$word"))
}
__relay() { __relay_complete 1; }
__relay_npx() {
  COMPREPLY=()
  if [ "$COMP_CWORD" -ge 2 ] && [ "\${COMP_WORDS[1]}" = relay ]; then __relay_complete 2; fi
}
complete -o default -F __relay relay
complete -p npx >/dev/null 2>&1 || complete -o default -F __relay_npx npx`;
}
