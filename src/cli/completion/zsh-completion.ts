import type { DescribedCommand } from "./described-command.ts";

/** For zsh with its completion system: `compinit` has run before. */
export function zshCompletion(commands: readonly DescribedCommand[]): string {
  const values = commands.flatMap(({ name, options }) =>
    options
      .filter(({ takesValue }) => takesValue)
      .map(({ names, values: words }) => {
        const what = words.length === 0 ? "_files" : `compadd -- ${words.join(" ")}`;
        return `    ${names.map((one) => `${name}:${one}`).join("|")}) ${what}; return ;;`;
      }),
  );
  const lists = commands.map(({ name, words, options }) => {
    const described = options.flatMap(({ names, description }) => names.map((one) => entry(one, description)));
    const first = words.length === 0 ? "" : ` compadd -- ${words.join(" ")};`;
    return `    ${name})${first} list=(${described.join(" ")}); _describe -o option list; _files ;;`;
  });
  const names = commands.map(({ name, description }) => entry(name, description));
  return `#compdef relay
# Completion of relay for zsh: source <(npx relay completion zsh)
__relay_complete() {
  local -a list
  local at=$1
  if (( CURRENT <= at )); then
    list=(${names.join(" ")})
    _describe command list
    return
  fi
  case "\${words[at]}:\${words[CURRENT-1]}" in
${values.join("\n")}
  esac
  case "\${words[at]}" in
${lists.join("\n")}
  esac
}
_relay() { __relay_complete 2 }
_relay_npx() { if [[ "\${words[2]}" == relay && CURRENT -ge 3 ]]; then __relay_complete 3; else _files; fi }
compdef _relay relay
(( \${+_comps[npx]} )) || compdef _relay_npx npx`;
}

/** `name:description` in single quotes; a colon in the name would end it. */
function entry(name: string, description: string): string {
  return `'${name.replaceAll(":", "\\:")}:${description.replaceAll("'", "’")}'`;
}
