// A field's page: puts its modules together. Each has one task; field-page.js is what they share.
import { boxes } from "./field-boxes.js";
import { choosing } from "./field-choose.js";
import { begin } from "./field-draft.js";
import { keys } from "./field-keys.js";
import { light } from "./field-light.js";
import { live } from "./field-live.js";
import { maps } from "./field-maps.js";
import { naming } from "./field-name.js";
import { buttons } from "./field-page.js";
import { seeing } from "./field-see.js";
import { stage } from "./field-stage.js";

buttons();
boxes();
maps();
naming();
light();
seeing();
keys();
live();
choosing();
stage();
begin();
