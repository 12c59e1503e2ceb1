/**
 * "Publish as pipeline" in the editor: a tab of the sidebar, a command and an entry of the menu. The
 * work is done by the modules in `panel/`.
 */
import { app } from "../../scripts/app.js";
import { learn, say } from "./editor/words.js";
import { begin, close, open } from "./panel/panel.js";

const TAB = "promptreel-publish";
const COMMAND = "PromptReel.Publish";

/** Open the tab, and read the open workflow. */
async function publish() {
  const { sidebarTab } = app.extensionManager;
  if (sidebarTab.activeSidebarTabId !== TAB) sidebarTab.toggleSidebarTab(TAB);
  await begin();
}

app.registerExtension({
  name: "promptreel.publish",
  commands: [{ id: COMMAND, label: "Publish as pipeline", icon: "pi pi-share-alt", function: publish }],
  menuCommands: [{ path: ["PromptReel"], commands: [COMMAND] }],
  async setup() {
    await learn();
    app.extensionManager.registerSidebarTab({
      id: TAB,
      icon: "pi pi-share-alt",
      title: say("publishTab"),
      tooltip: say("publishOpen"),
      type: "custom",
      render: open,
      destroy: close,
    });
  },
});
