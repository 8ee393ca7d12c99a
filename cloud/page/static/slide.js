// A slide's page: puts its modules together. Each has one task; slide-page.js is what they share.
import { begin } from "./slide-draft.js";
import { drag } from "./slide-drag.js";
import { forms } from "./slide-forms.js";
import { keys } from "./slide-keys.js";
import { live } from "./slide-live.js";
import { morphing } from "./slide-morph.js";
import { choosing } from "./slide-choose.js";
import { seeing } from "./slide-see.js";

morphing();
choosing();
keys();
drag();
forms();
seeing();
live();
begin();
