import text from "./text.module.css";

/** The heading of a page, and what it shows. */
export function PageHead({ title, hint }: { title: string; hint: string }) {
  return (
    <div>
      <h1 className={text["pageTitle"]}>{title}</h1>
      <p className={`${text["pageHint"]} ${text["breakable"]}`}>{hint}</p>
    </div>
  );
}
