// Imports code over the network and from the host, when types are checked and when it runs.
import secrets from "/etc/passwd" with { type: "json" };
import { serve } from "https://169.254.169.254/latest/meta-data.ts";
console.log(secrets, serve);
