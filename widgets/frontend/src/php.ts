// PHP without its package's HTML, CSS and JavaScript around it, which weigh more than all else that an editor loads.
export { phpLanguage as php } from "@codemirror/lang-php";
