/**
 * How the bubble and the frame look. Physical sides, as `position` names them.
 *
 * Only what is important holds against a page's own rules for every `div`.
 */

export const BUBBLE = "bubble";
export const COUNT = "count";
export const FRAME = "chat";

const CORNERS = ["bottom-right", "bottom-left", "top-right", "top-left"];

export function SHEET(wanted: string): string {
  const [edge, side] = (CORNERS.includes(wanted) ? wanted : "bottom-right").split("-");
  return `
:host{all:initial!important;position:fixed!important;z-index:2147483000!important;
${edge}:20px!important;${side}:20px!important;color-scheme:light dark!important}
*{box-sizing:border-box}
[hidden]{display:none!important}
.bubble{display:block;position:relative;width:60px;height:60px;margin:0;padding:0;border:2px solid #fff;
border-radius:50%;background:#1d6a58;color:#fff;cursor:pointer;box-shadow:0 6px 20px #0004;transition:transform .15s}
.bubble:hover{transform:scale(1.06)}
.bubble:focus-visible{outline:3px solid #1d6a58;outline-offset:3px}
.bubble svg{display:block;width:28px;height:28px;margin:auto;fill:none;stroke:currentColor;stroke-width:2;
stroke-linecap:round;stroke-linejoin:round}
.count{position:absolute;top:-6px;inset-inline-end:-6px;min-width:24px;height:24px;padding:0 6px;border-radius:12px;
background:#b3261e;color:#fff;font:700 13px/24px system-ui,sans-serif;text-align:center}
#chat{position:absolute;${edge}:76px;${side}:0;width:390px;height:min(640px,calc(100vh - 116px));
max-width:calc(100vw - 40px);border:0;border-radius:18px;background:#fff;box-shadow:0 16px 48px #0005;
visibility:hidden;opacity:0;transform:translateY(${edge === "top" ? "-" : ""}12px);
transition:opacity .18s,transform .18s,visibility 0s .18s}
:host([data-open]) #chat{visibility:visible;opacity:1;transform:none;transition-delay:0s}
@media (prefers-color-scheme:dark){#chat{background:#131715}.bubble{border-color:#131715;background:#5cc4a9;color:#0b1310}
.bubble:focus-visible{outline-color:#5cc4a9}}
@media (max-width:480px),(max-height:460px){:host([data-open]) .bubble{display:none}
#chat{position:fixed;inset:0;width:100vw;height:100vh;height:100dvh;max-width:none;border-radius:0}}
@media (prefers-reduced-motion:reduce){*{transition:none!important}}
@media print{:host{display:none!important}}
`;
}
