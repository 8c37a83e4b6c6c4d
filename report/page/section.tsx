import type { ComponentChildren } from "preact";

/** A part of the page that its navigation names. */
export function Section({ id, title, children }: { id: string; title: string; children: ComponentChildren }) {
  return (
    <section id={id} aria-labelledby={`${id}-heading`}>
      <h2 id={`${id}-heading`} tabIndex={-1}>
        {title}
      </h2>
      {children}
    </section>
  );
}

/** Instead of figures that there are none of: a sentence, and the command that would change it. */
export function Absent({ what, next }: { what: string; next: string }) {
  return (
    <p class="absent">
      {what}: <code>{next}</code> does it.
    </p>
  );
}
