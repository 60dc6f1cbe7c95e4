# mezo_plugin(NAME source…): a plugin, built as mezo_NAME.so into lib/mezo/plugins of the build
# folder, which is where an executable in bin looks first. The target is plugin_NAME; link what the
# plugin needs to it. It exports its entry point and nothing else (exports.map).
set(MEZO_PLUGIN_EXPORTS ${CMAKE_CURRENT_LIST_DIR}/exports.map)

function(mezo_plugin name)
  add_library(plugin_${name} MODULE ${ARGN})
  target_link_libraries(plugin_${name} PRIVATE mezo::core)
  target_link_options(plugin_${name} PRIVATE "LINKER:--version-script=${MEZO_PLUGIN_EXPORTS}")
  set_target_properties(plugin_${name} PROPERTIES
    PREFIX "" OUTPUT_NAME mezo_${name}
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib/mezo/plugins
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    INSTALL_RPATH "$ORIGIN/../.."
    LINK_DEPENDS ${MEZO_PLUGIN_EXPORTS})
endfunction()
